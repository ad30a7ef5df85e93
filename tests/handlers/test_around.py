"""What others said around a question, before it."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.dialogue.around import ALONE, Around

messages = st.lists(st.text(min_size=1).filter(str.splitlines), max_size=5)


@given(messages, st.text(), st.integers(-10, 200))
def test_what_fits_is_quoted(heard: list[str], question: str, letters: int) -> None:
    """The newest messages, each whole, within the room; no line of theirs is anything else."""
    found = Around("title", heard).before(question, letters)
    if found == question:
        assert not heard or len(f"title\n\n{quoted(heard[-1:])}\n") > letters
        return
    assert len(found) - len(question) <= letters
    for number in range(1, len(heard) + 1):
        if found == f"title\n{quoted(heard[-number:])}\n\n{question}":
            older = heard[-number - 1 :]
            assert number == len(heard) or len(f"title\n{quoted(older)}\n\n") > letters
            return
    raise AssertionError(found)


def quoted(said: list[str]) -> str:
    """Each line of messages, marked."""
    return "\n".join(f"> {line}" for one in said for line in one.splitlines())


def test_nothing_around() -> None:
    """A question stays as it is."""
    assert ALONE.before("what?", 1000) == "what?"
