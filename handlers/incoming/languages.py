"""Which language people hear: their chat's, their own, their Telegram's, or the owner's."""

import time
from collections.abc import Set as AbstractSet

from telegram import User

from handlers.texts import Texts, texts_for
from handlers.turn.turn import Turn

MOST_KEPT = 10_000
"""People whose choice of a language is remembered."""


class Languages:
    """One bot's. Methods raise `StorageUnavailable`."""

    def __init__(self, default: str | None, locked: AbstractSet[str]) -> None:
        """``default`` is the owner's; what is ``locked`` nobody may choose."""
        self._default = default
        self._locked = locked
        self._lately: dict[int, tuple[float, str | None]] = {}
        """What people have chosen for themselves, and until when that counts."""

    async def of(self, turn: Turn, person: User | None) -> Texts:
        """Return the words in which a turn speaks to a person, or to a whole chat."""
        return self.chosen(person, turn.settings.language or await self._own(person, turn))

    def chosen(self, person: User | None, *languages: str | None) -> Texts:
        """Return the words for a person in the first of the ``languages`` that is chosen."""
        return texts_for(person, *languages, default=self._default)

    async def _own(self, person: User | None, turn: Turn) -> str | None:
        """Return what a person has chosen in their private chat, as it was lately."""
        if person is None or turn.lane.chat_id > 0 or "language" in self._locked:
            return None
        now, (until, language) = time.monotonic(), self._lately.get(person.id, (0.0, None))
        if until < now:
            language = (await turn.settings_of(person.id)).language
            if len(self._lately) >= MOST_KEPT:
                self._lately.clear()
            self._lately[person.id] = now + turn.timing.language_kept, language
        return language
