"""What is written for whoever adds the bot to a group, and for whoever runs it."""

from pathlib import Path

import pytest

from handlers.actions import table
from handlers.actions.table import Command, Menu
from handlers.incoming.access import Right
from handlers.texts import ENGLISH

DOCS = Path(__file__).parents[2] / "docs"
WHO = {
    Right.EVERYBODY: "everybody",
    Right.ASKER: "who asked, and admins",
    Right.CHANGE: "admins, or everybody if the group says so",
    Right.ADMIN: "admins",
}


def of_groups() -> str:
    """The commands that a group's members and admins see."""
    return "| command | what it does | who may in a group |\n|---|---|---|\n" + "".join(
        f"| `/{row.name}` | {_said(row)} | {WHO[row.right]} |\n"
        for row in table.COMMANDS
        if row.menu and row.menus & table.IN_GROUPS
    )


def of_owners() -> str:
    """The commands that only owners see."""
    return "| command | what it does |\n|---|---|\n" + "".join(
        f"| `/{row.name}` | {_said(row)} |\n"
        for row in table.COMMANDS
        if row.menu and row.menus == {Menu.OWNER}
    )


def _said(row: Command) -> str:
    assert row.menu
    return row.menu(ENGLISH)


GUIDES = {"groups.md": of_groups, "owners.md": of_owners}


@pytest.mark.parametrize("name", GUIDES)
def test_the_guides_commands_are_those_of_the_table(name: str) -> None:
    """`python -m tests.handlers.test_guides` writes them."""
    assert GUIDES[name]() + "\n" in (DOCS / name).read_text("utf-8")


if __name__ == "__main__":
    for guide, rows in GUIDES.items():
        before, rule, after = (DOCS / guide).read_text("utf-8").partition(rows().split("\n")[0])
        (DOCS / guide).write_text(before + rows() + "\n" + after.partition("\n\n")[2], "utf-8")
