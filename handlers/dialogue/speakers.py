"""Who speaks: names for a model that reads one conversation of many people. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from storage.message import Exchange, Message, Role

LONGEST = 40
"""Characters of a name in a label."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that no name needs: controls, direction marks, line ends."""
_ENDS = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_HIDDEN = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_LIKE_A_LABEL = re.compile(
    rf"(?:\A|(?<=[{_ENDS}]))((?:[^\S{_ENDS}]|[{_HIDDEN}])*)\[(?=[^\]{_ENDS}]*\][{_HIDDEN}\s]*:)"
)


def labelling(messages: Iterable[Message]) -> Callable[[Message], Message]:
    """Return a function that labels a person's words with their name: ``[Ann]: ``.

    Two people with one name also get their numbers. Words whose author is unknown get no label.
    A line that looks like a label is escaped everywhere: nobody can speak in another's name.
    """
    senders = defaultdict(set)
    for message in messages:
        senders[_label(message)].add(message.sender)
    return partial(_with_label, senders)


def labelled(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Label each person's words with their name; see `labelling`."""
    label = labelling(chain.from_iterable(exchanges))
    return [Exchange(*map(label, exchange)) for exchange in exchanges]


def _with_label(senders: dict[str, set[int]], message: Message) -> Message:
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
