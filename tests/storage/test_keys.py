"""Keys never meet."""

from hypothesis import given
from hypothesis import strategies as st

from storage import keys
from storage.message import ChatKey, well_formed

chats = st.builds(ChatKey, st.integers(-(10**13), 10**13), st.integers(0, 10**6))


@given(chats, chats)
def test_keys_never_meet(one: ChatKey, two: ChatKey) -> None:
    """Two conversations have one key only if they are one; lists and hashes are apart."""
    assert (keys.history(1, one) == keys.history(1, two)) == (one == two)
    assert keys.history(1, one) != keys.turns(1, two)
    assert keys.history(1, one) != keys.history(2, two)


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
