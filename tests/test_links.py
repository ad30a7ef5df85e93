"""Links between the documents lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    """Each that is no web address names a file that is there, and a heading of it."""
    for path, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text()):
        target = document.parent / path if path else document
        assert target.is_file(), path
        assert not heading or heading in _headings(target), (path, heading)


def test_there_are_links() -> None:
    """The pattern finds some."""
    assert "docs/start.md" in re.findall(r"\]\(([^)#]*)", DOCUMENTS[0].read_text())


def _headings(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
