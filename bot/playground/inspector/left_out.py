"""What of a conversation's history a request left out, and why: found by comparing them. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from handlers.dialogue.window import TOKENS_A_MESSAGE, TOKENS_A_REQUEST, Estimate
from storage.history import decode
from storage.message import UNREADABLE, Message, Role

Why = Literal["window", "replaced", "unreadable", "unpaired"]
_LABEL = re.compile(r"\A\[[^\]\n]*\]: ")

_Pair = tuple[Message, Message] | None
"""A question and its answer; None if they are not the bot's."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many entries of the list from ``first`` on, with so many ``letters`` of text.

    ``why``: they did not fit the model's ``window``; they are ``replaced`` by what is asked again;
    they are ``unreadable``, because another program wrote them; or the first one is ``unpaired``.
    """

    why: Why
    first: int
    count: int
    letters: int


def left_out(
    entries: Sequence[str], messages: Sequence[Any], budget: int | None
) -> list[LeftOut] | None:
    """Compare a history with a request's ``messages``; None if they do not belong together.

    ``budget`` is the most tokens of a request, if that is known.
    """
    given = [_said(message) for message in messages]
    if not given or None in given:
        return None
    told = [message for message in given if message is not None]
    asked, past = told[-1], told[1:-1] if told[0].role is Role.SYSTEM else told[:-1]
    pairs = [_pair(*entries[at : at + 2]) for at in range(len(entries) % 2, len(entries), 2)]
    found = [_aligned(pairs, past, replaced=replaced) for replaced in (False, True)]
    candidates = [one for one in found if one is not None]
    if not candidates:
        return None
    likely = (one for one in candidates if not _is_odd(one, pairs, told, asked, budget))
    return _runs(next(likely, candidates[0]), entries)


def _aligned(
    pairs: Sequence[_Pair], past: Sequence[Message], *, replaced: bool
) -> list[Why | None] | None:
    """Say of each pair why it is left out, None if it is not; None if it cannot have been so."""
    if replaced and not pairs:
        return None
    why: list[Why | None] = ["replaced"] if replaced else []
    left = list(past)
    for pair in reversed(pairs[: len(pairs) - replaced]):
        if not left:
            why.append("window")
        elif pair is None:
            why.append("unreadable")
        elif len(left) > 1 and _is_same(left[-2], pair[0]) and _is_same(left[-1], pair[1]):
            del left[-2:]
            why.append(None)
        else:
            return None
    return None if left else why[::-1]


def _is_odd(
    why: Sequence[Why | None],
    pairs: Sequence[_Pair],
    told: Sequence[Message],
    asked: Message,
    budget: int | None,
) -> bool:
    """True if the newest pair that is said not to have fitted would have fitted for certain."""
    newest = max((at for at, reason in enumerate(why) if reason == "window"), default=-1)
    pair = pairs[newest] if newest >= 0 else None
    if pair is None:
        return False
    if budget is None:
        is_last = newest == len(pairs) - 1
        return is_last and plain(asked.text).endswith(plain(pair[0].text))
    letters = sum(len(message.text) for message in (*told, *pair))
    wrapping = TOKENS_A_REQUEST + (len(told) + 3) * (TOKENS_A_MESSAGE + 1)
    return math.ceil(letters / Estimate.FEWEST) + wrapping <= budget


def _runs(why: Sequence[Why | None], entries: Sequence[str]) -> list[LeftOut]:
    """Put neighbours that are left out for one reason together."""
    reasons: list[Why | None] = [each for reason in why for each in (reason, reason)]
    if len(entries) % 2:
        reasons.insert(0, "unpaired")
    runs: list[LeftOut] = []
    for at, reason in enumerate(reasons):
        if reason is None:
            continue
        letters = _letters(entries[at])
        last = runs[-1] if runs else None
        if last and last.why == reason and last.first + last.count == at:
            runs[-1] = LeftOut(reason, last.first, last.count + 1, last.letters + letters)
        else:
            runs.append(LeftOut(reason, at, 1, letters))
    return runs


def _pair(question: str, answer: str) -> _Pair:
    try:
        return decode(question), decode(answer)
    except UNREADABLE:
        return None


def _letters(entry: str) -> int:
    try:
        return len(decode(entry).text)
    except UNREADABLE:
        return len(entry)


def _said(message: Any) -> Message | None:
    try:
        return Message(Role(message["role"]), str(message["text"]))
    except UNREADABLE:
        return None


def _is_same(given: Message, kept: Message) -> bool:
    """Compare, whether or not the conversation is a group's."""
    if given.role is not kept.role:
        return False
    is_equal = given.text == kept.text
    return is_equal or (given.role is Role.USER and plain(given.text) == plain(kept.text))


def plain(text: str) -> str:
    """Leave out what a person's words get in a group: a label, and escapes."""
    return _LABEL.sub("", text).replace("\\[", "[")
