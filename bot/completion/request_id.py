"""A request's id: a UUID like any other, from which the bot's token tells for which chat it is.

The completion API has no other place for that, and is not to know: without the token two requests
of one chat have nothing in common.
"""

import hmac
from collections.abc import Iterable
from uuid import UUID, uuid4


def request_id(token: str, chat_id: int) -> str:
    """Make a new id of a request for a chat."""
    return _marked(uuid4().bytes[:8], token, chat_id)


def chat_of(found: str, token: str, chats: Iterable[int]) -> int | None:
    """Tell for which of these chats a request is, or None."""
    try:
        name = UUID(found)
    except ValueError:
        return None
    marked = (chat for chat in chats if _marked(name.bytes[:8], token, chat) == str(name))
    return next(marked, None)


def _marked(beginning: bytes, token: str, chat_id: int) -> str:
    mark = hmac.digest(token.encode(), beginning + str(chat_id).encode(), "sha256")
    return str(UUID(bytes=beginning + mark[:8], version=4))
