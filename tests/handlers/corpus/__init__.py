"""Answers as models write them, by kind, and what people read of each.

In a kind's ``.md`` stand the answers, one after another; in its ``.txt`` what :func:`shown` makes
of them. All of it was read by eye once. ``python -m tests.handlers.corpus`` writes the latter anew,
to be read again.
"""

from pathlib import Path

_SEPARATOR = "\n%%%\n"


def kinds() -> list[Path]:
    """Return the files with answers."""
    return sorted(Path(__file__).parent.glob("*.md"))


def parts(file: Path) -> list[str]:
    """Read what stands in a file."""
    return file.read_text("utf-8").rstrip("\n").split(_SEPARATOR)


def write(file: Path, texts: list[str]) -> None:
    """Write such a file."""
    file.write_text(_SEPARATOR.join(texts) + "\n", "utf-8")


CORPUS = [
    (f"{file.stem} {number}", answer, expected)
    for file in kinds()
    if file.with_suffix(".txt").exists()
    for number, (answer, expected) in enumerate(
        zip(parts(file), parts(file.with_suffix(".txt")), strict=True), start=1
    )
]
"""Name, answer, and what is read of it."""
