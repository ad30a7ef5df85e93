"""What an owner may know and do about the whole bot."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from handlers.dialogue.completion import Speed
from storage.announcement import Announcements
from storage.census import Count
from storage.chats import Chats
from storage.dead import DeadLetter, DeadLetters
from storage.message import ChatKey
from storage.owners import OwnersMenus


@dataclass(frozen=True, slots=True)
class Operation:
    """``problems()`` says why a message that comes now may not be dealt with, if so.

    ``count()`` says how much waits, in all processes; ``speed()`` how fast the model is, None if it
    has not answered yet. ``addressed(letter)`` returns a dead letter as it would be queued now, and
    its conversation, None if it has none. All but ``speed`` raise `StorageUnavailable`.
    """

    chats: Chats
    menus: OwnersMenus
    announcements: Announcements
    letters: DeadLetters
    addressed: Callable[[DeadLetter], Awaitable[tuple[DeadLetter, ChatKey | None]]]
    count: Callable[[], Awaitable[Count]]
    problems: Callable[[], Awaitable[Sequence[str]]]
    speed: Callable[[], Speed | None]
