"""A mutant: a source file with one place changed, which some test should notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """``source`` is the changed text of ``file``, ``was`` and ``becomes`` the lines at issue."""

    file: str
    line: int
    was: str
    becomes: str
    source: str

    @property
    def name(self) -> str:
        """What it is known by, wherever the place moves within its file."""
        return f"{self.file}: {self.was} -> {self.becomes}"


def changed(file: str, source: str, start: int, end: int, new: str) -> Mutant:
    """Put ``new`` in the place of some characters of a source."""
    first = source.rfind("\n", 0, start) + 1
    last = source.find("\n", end)
    last = len(source) if last < 0 else last
    text = source[:start] + new + source[end:]
    was, becomes = source[first:last], text[first : last + len(text) - len(source)]
    line = source.count("\n", 0, start) + 1
    return Mutant(file, line, " ".join(was.split()), " ".join(becomes.split()), text)
