"""Who speaks, for a model that is told one conversation of many people. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from storage.message import Message, Role

LONGEST = 40
"""Characters of a name in a label."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what no name needs: controls, marks of direction, ends of lines."""
_ENDS = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_HIDDEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_LIKE_A_LABEL = re.compile(
    rf"(?:\A|(?<=[{_ENDS}]))((?:[^\S{_ENDS}]|[{_HIDDEN}])*)\[(?=[^\]{_ENDS}]*\][{_HIDDEN}\s]*:)"
)


def labelled(messages: Sequence[Message]) -> list[Message]:
    """Put before each person's words who says them, as ``[Ann]: ``.

    Two people of one name are told apart by their numbers. What nobody is known of stays, but a
    line that looks like a label is escaped everywhere: nobody can speak in another's name.
    """
    senders = defaultdict(set)
    for message in messages:
        senders[_label(message)].add(message.sender)
    return [_with_label(message, senders) for message in messages]


def _with_label(message: Message, senders: dict[str, set[int]]) -> Message:
    if message.role is not Role.USER:
        return message
    text = _LIKE_A_LABEL.sub(r"\1\\[", message.text)
    label = _label(message)
    if not label:
        return replace(message, text=text)
    if len(senders[label]) > 1:
        label = f"{label} {message.sender}"
    return replace(message, text=f"[{label}]: {text}")


def _label(message: Message) -> str:
    seen = "".join(
        " " if letter.isspace() else letter
        for letter in message.name
        if letter in "\t\n\r" or unicodedata.category(letter) not in _INVISIBLE
    )
    name = " ".join(seen.translate(_BRACKETS).split())
    if len(name) > LONGEST:
        name = name[: LONGEST - 1].rstrip() + "…"
    return name or (str(message.sender) if message.sender else "")


_BRACKETS = str.maketrans("[]", "()")
