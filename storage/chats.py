"""The registry of chats: where the bot is, how it stands there, and when it was last used."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeVar

from redis.asyncio import Redis

from storage import keys
from storage.message import UNREADABLE, ChatKey
from storage.server import foreign
from storage.server.connect import textual, translated
from storage.server.script import Script

T = TypeVar("T")

FIELDS: Mapping[str, type] = {
    **dict.fromkeys(("title", "kind", "username", "language", "away", "can"), str),
    "forum": bool,
    "since": int,
    "update": int,
}


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """What is known of a chat; ``title``, ``kind`` and ``username`` are Telegram's.

    ``language`` is the one that the bot last spoke there.

    ``away`` says why the bot must be quiet there (``kicked``, ``left``, ``blocked``, ``muted``,
    ``deleted``), or is "". ``can`` are words for what it sees and may do, as of ``since``, in
    seconds since 1970: the date of Telegram's last word on that, which came as ``update`` (0:
    unknown). ``told`` is what of that was said in the chat lately, and when.
    """

    title: str = ""
    kind: str = ""
    username: str = ""
    forum: bool = False
    away: str = ""
    can: str = ""
    since: int = 0
    update: int = 0
    told: Mapping[str, int] = field(default_factory=dict, hash=False)
    language: str = ""

    def __str__(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def is_of(self, other: Self) -> bool:
        """Tell whether both are by the same word of Telegram's on how the bot stands there."""
        return (self.since, self.update) == (other.since, other.update)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of ``str``; whatever is not that is the record of an unknown chat."""
        try:
            return cls.read(text)
        except UNREADABLE:
            return cls()

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse the output of ``str``. Raises ValueError, LookupError or TypeError."""
        found: dict[str, Any] = json.loads(text)
        told = {str(can): int(at) for can, at in found["told"].items()}
        for name, kind in FIELDS.items():
            if type(found[name]) is not kind:
                raise TypeError(name)
        return cls(**{name: found[name] for name in FIELDS}, told=told)


@dataclass(frozen=True, slots=True)
class Noted:
    """What `done` notes of a chat; ``record`` is "" if that has not changed.

    It is noted if it still was ``before`` until now, as the chat's topics are dealt with side by
    side; None: whatever it was. ``used``: somebody used the bot there just now. ``quiet``: from now
    on the bot must be quiet there, which stops what it does in the chat's topics.
    """

    chat_id: int
    record: str = ""
    before: str | None = None
    used: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A chat of the registry, last used at ``used`` (seconds since 1970).

    Its history has so many ``messages``, and ``size`` bytes, 0 if that is not known.
    """

    chat_id: int
    record: ChatRecord
    used: int
    messages: int
    size: int


@dataclass(slots=True)
class Audience:
    """How many chats would be ``told``; ``skipped`` are away, or shut out, or declined it."""

    told: int = 0
    skipped: int = 0


class Chats:
    """One bot's registry of chats. Methods raise `StorageUnavailable`."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        self._redis = redis
        self._bot_id = bot_id
        self._names = [keys.used(bot_id), keys.chats(bot_id)]
        self._page = Script(redis, "page")

    async def page(self, first: int, number: int) -> tuple[int, list[Listed]]:
        """Return how many chats there are, and ``number`` of them, the last used first."""
        prefixes = [f"{keys.tag(self._bot_id)}{name}:" for name in ("history", "state")]
        args: list[str | int] = [first, first + number - 1, *prefixes]
        total, *found = await self._readable(lambda: self._page(self._names, args))
        chats = [
            Listed(int(chat), ChatRecord.parse(record), int(float(used)), int(messages), int(size))
            for chat, used, record, messages, size in zip(*[iter(found)] * 5, strict=True)
        ]
        return int(total), [await self._with_topics(one) for one in chats]

    async def _with_topics(self, chat: Listed) -> Listed:
        """Count a forum's topics, too."""
        if not chat.record.forum:
            return chat
        start = keys.history(self._bot_id, ChatKey(chat.chat_id))
        messages, size = chat.messages, chat.size
        with translated():
            async for key in foreign.names(self._redis, f"{start}:[0-9]*"):
                topic = keys.state(self._bot_id, ChatKey(chat.chat_id)) + key[len(start) :]
                length = int(await self._redis.llen(key))
                noted = await self._redis.hmget(topic, ["length", "bytes"])
                messages += length
                size += int(noted[1] or 0) if noted[0] == str(length) else 0
        return Listed(chat.chat_id, chat.record, chat.used, messages, size)

    async def audiences(self) -> dict[str, Audience]:
        """Return whom an announcement would be told, by Telegram's kinds of chats."""
        found: dict[str, Audience] = defaultdict(Audience)
        declined = {*await self._readable(self._declined)}
        listed = await self._readable(self._listed)
        for chat, known in (await self._readable(self._records)).items():
            shut_out = listed.get(chat, "").startswith("deny ")
            skipped = known.away not in ("", "muted") or shut_out or chat in declined
            found[known.kind].skipped += skipped
            found[known.kind].told += not skipped
        return found

    async def language(self, chat_id: int) -> str:
        """Return the language that the bot last spoke in a chat; "" if that is not known."""
        with translated(), textual():
            found = await self._redis.hget(keys.chats(self._bot_id), str(chat_id))
        return ChatRecord.parse(str(found or "")).language

    async def has_declined(self, chat_id: int) -> bool:
        """Tell whether a chat wants no announcements."""
        with translated():
            score = await self._redis.zscore(keys.declined(self._bot_id), str(chat_id))
        return score is not None

    async def named(self, username: str) -> int | None:
        """Find a chat by its user name, in any case; None if the registry has none."""
        for chat, known in (await self._readable(self._records)).items():
            if known.username.lower() == username.lower():
                return int(chat)
        return None

    async def _declined(self) -> Sequence[str]:
        return [*map(str, await self._redis.zrange(keys.declined(self._bot_id), 0, -1))]

    async def _listed(self) -> dict[str, str]:
        found = await self._redis.hgetall(keys.access(self._bot_id))
        return {str(chat): str(verdict) for chat, verdict in found.items()}

    async def _records(self) -> dict[str, ChatRecord]:
        return {
            str(chat): ChatRecord.parse(str(record))
            async for chat, record in self._redis.hscan_iter(self._names[1], count=1000)
        }

    async def _readable(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read the registry or the access list, without what is no text there."""
        with translated():
            try:
                return await read()
            except UnicodeDecodeError:  # another program's
                for key in (keys.chats(self._bot_id), keys.access(self._bot_id)):
                    await foreign.remove_fields(self._redis, key)
                for key in (keys.used(self._bot_id), keys.declined(self._bot_id)):
                    await foreign.remove_members(self._redis, key)
            return await read()
