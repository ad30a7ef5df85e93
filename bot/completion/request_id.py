"""A request's id: a random-looking UUID that, with the bot's token, reveals which chat it is for.

The completion API has no other place for that, and must not know it: without the token, two
requests of one chat have nothing in common.
"""

import hmac
from collections.abc import Iterable
from uuid import UUID, uuid4


def request_id(token: str, chat_id: int) -> str:
    """Make a new request id for a chat."""
    return _marked(uuid4().bytes[:8], token, chat_id)


def chat_of(found: str, token: str, chats: Iterable[int]) -> int | None:
    """Return which of these chats a request is for, or None."""
    try:
        name = UUID(found)
    except ValueError:
        return None
    marked = (chat for chat in chats if _marked(name.bytes[:8], token, chat) == str(name))
    return next(marked, None)


def _marked(beginning: bytes, token: str, chat_id: int) -> str:
    mark = hmac.digest(token.encode(), beginning + str(chat_id).encode(), "sha256")
    return str(UUID(bytes=beginning + mark[:8], version=4))
