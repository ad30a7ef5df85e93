"""Names of people and chats, as the bot shows them. Anybody can have any name."""

LONGEST = 60
"""Characters; two names and a sentence fit into what answers a press."""
_BLANK = dict.fromkeys(map(ord, "\u115f\u1160\u2800\u3164\uffa0"), " ")
"""Letters and a symbol of which nothing is seen."""


def shown(name: str, longest: int = LONGEST) -> str:
    """Return what is seen of a name, on one line: nothing that turns the direction of writing."""
    letters = (one for one in name.translate(_BLANK) if one.isprintable() or one.isspace())
    seen = " ".join("".join(letters).split())
    return seen if len(seen) <= longest else f"{seen[:longest]}…"


def named(name: str, number: int) -> str:
    """Name a person or a chat for an owner: with the id."""
    seen = shown(name)
    return f"{seen} ({number})" if seen else str(number)
