"""Links between the documents lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    """Each one, except web addresses, names a file that exists, and a heading in it."""
    for path, heading in _links(document):
        target = document.parent / path if path else document
        assert target.is_file(), path
        assert not heading or heading in _headings(target), (path, heading)


def test_there_are_links() -> None:
    """The pattern finds those of the README."""
    assert ("docs/start.md", "") in _links(ROOT / "README.md")


def _links(document: Path) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = LINK.findall(document.read_text())
    return found


def _headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
