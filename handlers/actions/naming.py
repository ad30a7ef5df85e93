"""Names of people and chats, as the bot shows them. Anybody can have any name."""

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
