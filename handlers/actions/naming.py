"""Names of people and chats, as the bot shows them. Anybody can have any name."""

from handlers.context import Context
from handlers.turn.where import is_company

LONGEST = 60
"""Characters; two names and a sentence fit into what answers a press."""


def shown(name: str, longest: int = LONGEST) -> str:
    """Return what is seen of a name, on one line: nothing that turns the direction of writing."""
    seen = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
    return seen if len(seen) <= longest else f"{seen[:longest]}…"


def named(name: str, number: int) -> str:
    """Name a person or a chat for an owner: with the id."""
    seen = shown(name)
    return f"{seen} ({number})" if seen else str(number)


def by(context: Context) -> str:
    """Say in a group, before what a press has changed, who pressed."""
    person = context.received.effective_user
    if person is None or not is_company(context.message):
        return ""
    return f"{shown(person.full_name) or person.id}: "
