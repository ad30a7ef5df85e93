"""Ids of requests: which chat they are for is told by the token, and by nothing else."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bot.completion.request_id import chat_of, request_id

TOKEN = "42:AAtoken"
CHATS = st.lists(st.integers(-(2**52), 2**52), min_size=2, unique=True)


@given(CHATS)
def test_the_token_tells_the_chat(chats: list[int]) -> None:
    """Each chat is found among all, and not without the token."""
    for chat in chats:
        made = request_id(TOKEN, chat)
        assert chat_of(made, TOKEN, chats) == chat_of(made.upper(), TOKEN, chats) == chat
        assert chat_of(made, TOKEN, [other for other in chats if other != chat]) is None
        assert chat_of(made, f"{TOKEN}x", chats) is None


def test_an_id_is_a_random_uuid() -> None:
    """It looks like any other, and nothing of it comes back, also for the same chat."""
    ids = [UUID(request_id(TOKEN, 7)) for _ in range(100)]
    assert {one.version for one in ids} == {4}
    assert len({half for one in ids for half in (one.bytes[:8], one.bytes[8:])}) == 200


@given(st.text() | st.uuids().map(str))
def test_other_ids_are_for_no_chat(found: str) -> None:
    """Whatever another program sends."""
    assert chat_of(found, TOKEN, [7, -7]) is None
