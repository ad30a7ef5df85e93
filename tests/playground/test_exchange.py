"""An answer as it came is kept whole if it is short; of a long one, beginning and end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.yandex.exchange import LONGEST, Recording

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=50)


def recorded(data: bytes, step: int) -> Recording:
    recording = Recording()
    for start in range(0, len(data), step):
        recording.add(data[start : start + step])
    return recording


@settings(max_examples=50)
@given(st.lists(lines), st.integers(1, 7))
def test_a_short_answer_is_kept_whole(said: list[str], step: int) -> None:
    """Wherever its chunks end, even inside a character."""
    text = "".join(f"{line}\n" for line in said)
    recording = recorded(text.encode(), step)
    assert recording.parts() == (text, "", 0)
    assert recording.last == next((line for line in text.splitlines()[::-1] if line.strip()), "")


@settings(max_examples=20)
@given(st.integers(20, 5000), st.integers(1000, 100_000), st.integers(1, 400))
def test_of_a_long_answer_the_middle_is_left_out(width: int, step: int, more: int) -> None:
    """What is kept are whole lines, and the rest is counted; the last line is always there."""
    data = b"".join(
        f"{number:06}{'ы' * width}\n".encode() for number in range(LONGEST // (2 * width) + more)
    )
    recording = recorded(data, step)
    head, tail, left_out = recording.parts()
    kept = len(head.encode()) + len(tail.encode())
    assert kept + left_out == len(data)
    assert kept <= LONGEST
    assert data.startswith(head.encode())
    assert data.endswith(tail.encode())
    assert recording.last == data.decode().splitlines()[-1]
    assert all("\ufffd" not in part for part in (head, tail))


def test_one_endless_line() -> None:
    """It has no ends of lines to cut at; memory stays bounded all the same."""
    recording = recorded(b"x" * (10 * LONGEST), 4096)
    head, tail, left_out = recording.parts()
    assert len(head) + len(tail) == LONGEST
    assert left_out == 9 * LONGEST
    assert len(recording._head) + len(recording._tail) <= 2 * LONGEST
