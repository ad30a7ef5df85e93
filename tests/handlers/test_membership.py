"""``my_chat_member`` as it may come: what can be read of it, and what it means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from handlers.incoming.membership import Membership, can_write
from storage.chats import ChatRecord

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=5,
)
STATUSES = ("creator", "administrator", "member", "restricted", "left", "kicked")
MEMBERS = some.fixed_dictionaries(
    {"status": some.sampled_from(STATUSES) | JSON},
    optional={
        "is_member": some.booleans() | JSON,
        "can_send_messages": some.booleans() | JSON,
        "can_manage_topics": some.booleans() | JSON,
    },
)
UPDATES = some.fixed_dictionaries(
    {
        "update_id": some.integers() | JSON,
        "my_chat_member": some.fixed_dictionaries(
            {
                "chat": some.fixed_dictionaries(
                    {"id": some.integers() | JSON, "type": some.text() | JSON},
                    optional={"title": JSON, "username": JSON, "is_forum": JSON},
                )
                | JSON,
                "from": some.fixed_dictionaries({"id": some.integers() | JSON}) | JSON,
                "date": some.integers() | JSON,
                "old_chat_member": MEMBERS | JSON,
                "new_chat_member": MEMBERS | JSON,
            }
        )
        | JSON,
    }
)


@pytest.mark.slow
@given(UPDATES, some.booleans())
def test_whatever_comes(update: dict[str, Any], sees_all: bool) -> None:
    """It is read or it is not; what is noted of it can be kept, and read again."""
    membership = Membership.read(update, sees_all=sees_all)
    if membership is None:
        return
    noted = membership.known(ChatRecord())
    assert ChatRecord.parse(str(noted)) == noted
    str(noted).encode()
    assert (membership.now is None) <= bool(membership.away)


@given(MEMBERS | JSON)
def test_who_can_write(member: Any) -> None:
    """What cannot be read can write nothing."""
    assert can_write(member) in (True, False)


@given(some.sampled_from(STATUSES), some.booleans(), some.booleans())
def test_what_a_status_means(status: str, is_member: bool, may_write: bool) -> None:
    """Away is who is not there, or there and muted; an admin cannot be muted."""
    chat = {"id": -5, "type": "supergroup"}
    member = {"status": status, "is_member": is_member, "can_send_messages": may_write}
    changed = {"chat": chat, "from": {"id": 1}, "date": 1, "old_chat_member": {"status": "left"}}
    update = {"update_id": 1, "my_chat_member": changed | {"new_chat_member": member}}
    membership = Membership.read(update, sees_all=False)
    assert membership
    there = status in STATUSES[:3] or (status == "restricted" and is_member)
    muted = there and status == "restricted" and not may_write
    assert (membership.now is not None) == there
    assert membership.away == ("muted" if muted else "" if there else _gone(status))
    assert can_write(member) == (there and not muted)


def _gone(status: str) -> str:
    return "kicked" if status == "kicked" else "left"
