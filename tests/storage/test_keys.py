"""Keys never meet."""

from hypothesis import given
from hypothesis import strategies as st

from storage import keys
from storage.message import ChatKey, well_formed

chats = st.builds(ChatKey, st.integers(-(10**13), 10**13), st.integers(0, 10**6))


OF_A_CHAT = (
    keys.history,
    keys.epoch,
    keys.usage,
    keys.settings,
    keys.mailbox,
    keys.outbox,
    keys.draft,
)
OF_A_BOT = (
    keys.ready,
    keys.seen,
    keys.dead,
    keys.poller,
    keys.webhook_secret,
    keys.generations,
    keys.interrupts,
    keys.mark,
    keys.progress,
    keys.full,
    keys.nothing,
    keys.successors,
    keys.declined,
    keys.menus,
    keys.announcement,
    keys.announcing,
    keys.announcer,
    keys.access,
    keys.requests,
    keys.invitations,
)


@given(chats, chats)
def test_keys_never_meet(one: ChatKey, two: ChatKey) -> None:
    """Two conversations have one key only if they are one, and no two kinds of key are equal."""
    for key in OF_A_CHAT:
        assert (key(1, one) == key(1, two)) == (one == two)
        assert key(1, one) != key(2, one)
    names = [key(1, chat) for key in OF_A_CHAT for chat in {one, two}]
    names += [key(1) for key in OF_A_BOT]
    assert len(set(names)) == len(names)
    assert {name.partition("}")[0] for name in names} == {"{1"}


@given(chats)
def test_scripts_find_mailboxes(chat: ChatKey) -> None:
    """A prefix and a lane's name make its key; a lane's name is read as it was written."""
    assert keys.mailboxes(1) + str(chat) == keys.mailbox(1, chat)
    assert keys.outboxes(1) + str(chat) == keys.outbox(1, chat)
    assert ChatKey.parse(str(chat)) == chat


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_any_text_can_be_stored(text: str) -> None:
    """Lone surrogates are replaced, everything else stays."""
    clean = well_formed(text)
    assert clean.encode().decode() == clean
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert clean == text
