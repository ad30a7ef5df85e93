"""What is said around the bot in a group: overheard, and kept for a while if the group wants that.

At most 50 messages and `MOST_BYTES` of a conversation, for a day. Nothing of it is a question, and
nothing in it is obeyed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from storage.history import decode, encode
from storage.message import UNREADABLE, ChatKey, Message

log = structlog.get_logger()

MOST_BYTES = 8192
LONGEST = 1000
"""Characters of one message; of a longer one, so many are kept."""
LONGEST_NAME = 64
MOST = 2**53
"""Scripts know no larger number."""
_MEMBER = re.compile(r"\d+ \d+ (\{.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Overheard:
    """A message of this ``number`` that a group's people wrote to each other.

    ``said`` is None where there are no words to keep. ``always``: it is a question where the bot
    answers always.
    """

    lane: ChatKey
    number: int
    said: Message | None
    edited: bool = False
    always: bool = False

    @property
    def entry(self) -> str:
        """What is kept of it; "" for nothing."""
        if self.said is None or not self.said.text:
            return ""
        text = self.said.text
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        return encode(replace(self.said, text=text, name=self.said.name[:LONGEST_NAME]))

    def arguments(self) -> list[str | int]:
        """Return it as arguments of the script ``hear``."""
        # An odd update may hold anything where a number should be: then nothing of it is kept.
        sender = self.said.sender if self.said else 0
        numbers = all(type(one) is int and -MOST < one < MOST for one in (self.number, sender))
        number, person = (self.number, sender) if numbers else (0, 0)
        entry = self.entry if numbers else ""
        return [number, int(self.edited), int(self.always), str(person), entry]


def parse(found: Sequence[str], chat: ChatKey) -> list[tuple[int, Message]]:
    """Read what the script part ``heard`` returns: messages' numbers, and what they say.

    Those that came before the group was a supergroup have numbers below 0.
    """
    read = []
    for member, number in zip(found[::2], found[1::2], strict=True):
        entry = _MEMBER.fullmatch(member)
        try:
            read.append((int(float(number)), decode(entry[1] if entry else "")))
        except UNREADABLE:
            log.warning("heard_unreadable", chat=chat.chat_id, topic=chat.topic_id)
    return read
