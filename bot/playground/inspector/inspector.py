"""Watches what the bot asks of the model and of Telegram, and what becomes of it in Redis.

An answer begins when the bot fetches an update, asks the model, or calls Telegram about a chat in
which nothing was in work; it is over when its update has left the lane, or the next one begins.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from bot.completion.request_id import chat_of
from bot.playground.inspector.answer import UNKNOWN, Answer, Model, When, asks
from bot.playground.inspector.calls import fetched, kept, lane_of_call
from bot.playground.inspector.lanes import Lane, Lanes
from bot.playground.telegram.chat import Json
from bot.playground.telegram.room import Room
from bot.playground.yandex.exchange import Exchange, Exchanges
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable

MOST_ANSWERS = 1000
MOST_BYTES = 32 * 1024 * 1024
"""Of more, the oldest answers are forgotten."""
MOST_QUERIES = 1000
MOST_WAITING = 100
"""Of so many updates of one lane it is remembered how they came."""
LOOK = 0.05
"""Seconds between two looks at Redis while something is to be done."""
AWAY = 0.5
"""And while storage is away."""
UNSEEN = 1.0
"""An answer whose lane was never seen is over after so many seconds."""


class Inspector:
    """See the module. Nothing is known of Redis unless it is watched."""

    def __init__(
        self,
        room: Room,
        exchanges: Exchanges,
        run: str,
        model: Model = UNKNOWN,
    ) -> None:
        self.run = run
        self.model = model
        self.version = 0
        self.storage: Literal["none", "there", "away"] = "none"
        self._room = room
        self._clock: Callable[[], float] = room.clock
        self._answers: deque[Answer] = deque()
        self._number = 0
        self._size = 0
        self._storage_version = 0
        self._open: dict[ChatKey, Answer] = {}
        self._busy: dict[ChatKey, Lane] = {}
        self._unread: list[tuple[Answer, ChatKey, When]] = []
        self._waiting: dict[ChatKey, list[tuple[Json, Json]]] = {}
        """Updates that were fetched while another was in work, with the calls that fetched them."""
        self._queries: dict[str, ChatKey] = {}
        """Where buttons were pressed, by the ids of the queries."""
        self._going: dict[int, list[tuple[Answer | None, Json]]] = {}
        """What is kept of calls that are not answered yet."""
        self._known: dict[ChatKey, tuple[str, ...]] = {}
        """The newest histories: equal entries are kept once, and what is read too late is there."""
        self._changed, self._woken = asyncio.Event(), asyncio.Event()
        room.listeners.append(self._called)
        exchanges.listeners.append(self._heard)

    # What it shows.

    async def news(self, chat: int, run: str, since: int, seconds: float) -> Json:
        """Wait up to ``seconds`` for a change, and list the answers of a chat that have changed.

        ``since`` is the version that is known, of this ``run``; -1 if none is.
        """
        if run != self.run:
            since = -1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.version <= since or not self._is_new(chat, since):
                    await self._changed.wait()
        return {
            "run": self.run,
            "version": self.version,
            "oldest": self._answers[0].number if self._answers else self._number + 1,
            "storage": self.storage,
            "answers": [one.summary() for one in self._answers_of(chat) if one.version > since],
        }

    def answer(self, chat: int, number: int) -> Json:
        """Return one answer in full. ValueError if there is none of that number in the chat."""
        for one in self._answers_of(chat):
            if one.number == number:
                return one.json(self.model)
        raise ValueError(f"no answer {number} in chat {chat}, or it is forgotten")

    def _answers_of(self, chat: int) -> Iterator[Answer]:
        for one in self._answers:
            if (one.lane is None or one.lane.chat_id == chat) and not one.is_bare:
                yield one

    def _is_new(self, chat: int, since: int) -> bool:
        if since < self._storage_version:
            return True
        return any(one.version > since for one in self._answers_of(chat))

    # What it hears.

    def _heard(self, exchange: Exchange) -> None:
        if not exchange.path.endswith("/completion"):  # it only counts tokens
            return
        if exchange.finished:
            self._touch(next((one for one in self._answers if one.exchange is exchange), None))
            return
        lane = self._lane_asking(exchange)
        answer = self._asking(lane, exchange) if lane else self._begin(None)
        answer.ask(exchange)
        self._touch(answer)

    def _asking(self, lane: ChatKey, exchange: Exchange) -> Answer:
        """Return the answer that a request is for."""
        answer = self._open.get(lane)
        number = next(
            (one["update_id"] for _, one in self._waiting.get(lane, ()) if asks(exchange, one)), 0
        )
        if answer is None or number:
            return self._begin(lane, number)
        if answer.exchange:
            again = self._begin(lane)
            again.update = answer.update
            return again
        return answer

    def _lane_asking(self, exchange: Exchange) -> ChatKey | None:
        """Find the conversation that asks: of a forum's topics the one whose question it is."""
        name = exchange.headers.get("x-client-request-id", "")
        chat = chat_of(name, self._room.token or "", self._room.chats)
        if chat is None:
            return None
        found = [
            *((lane, one.update) for lane, one in self._open.items()),
            *((lane, one) for lane, waiting in self._waiting.items() for _, one in waiting),
        ]
        there = [(lane, update) for lane, update in found if lane.chat_id == chat]
        asking = (lane for lane, update in there if asks(exchange, update))
        return next(asking, there[0][0] if there else ChatKey(chat))

    def _called(self, call: Json) -> None:
        if "took" in call:
            going = self._going.pop(id(call), [])
            for _, record in going:
                record |= {"took": call["took"], "status": call["status"]}
        else:
            going = self._going[id(call)] = list(self._concerned(call))
        if going:
            self._touch(*(answer for answer, _ in going))

    def _concerned(self, call: Json) -> Iterator[tuple[Answer | None, Json]]:
        """Note a call in the answers that it belongs to, and yield them with what is noted."""
        for lane, updates in fetched(call).items():
            self._note_queries(lane, updates)
            for update in updates:
                record = kept(call | {"result": [update]})
                yield self._fetched(lane, update, record), record
        if call["method"] != "getUpdates" and (place := self._lane_calling(call)):
            answer = self._open.get(place) or self._begin(place)
            yield answer, answer.call(kept(call))

    def _fetched(self, lane: ChatKey, update: Json, record: Json) -> Answer | None:
        """Begin the answer to an update, unless another is in work; None if it has to wait."""
        self._waiting.setdefault(lane, []).append((record, update))
        del self._waiting[lane][:-MOST_WAITING]
        if lane not in self._open or (self.storage == "none" and not self._open[lane].is_bare):
            return self._begin(lane, update["update_id"])
        self._woken.set()
        return None

    def _note_queries(self, lane: ChatKey, updates: list[Json]) -> None:
        for update in updates:
            if isinstance(query := update.get("callback_query"), dict):
                self._queries[str(query.get("id"))] = lane
        while len(self._queries) > MOST_QUERIES:
            del self._queries[next(iter(self._queries))]

    def _lane_calling(self, call: Json) -> ChatKey | None:
        """Find the conversation of a call; a file is fetched for the only one in work."""
        if call["method"] == "answerCallbackQuery":
            return self._queries.get(str(call["parameters"].get("callback_query_id")))
        if call["method"] == "getFile" and len(self._open) == 1:
            return next(iter(self._open))
        return lane_of_call(self._room, call)

    # What it keeps.

    def _begin(self, lane: ChatKey | None, update_id: int = 0) -> Answer:
        """Begin an answer; ``update_id`` is the update that it answers, if that is known."""
        self._number += 1
        answer = Answer(self._number, lane, self._clock())
        self._answers.append(answer)
        if lane:
            if before := self._open.get(lane):
                self._end(before, another=True)
            self._open[lane] = answer
            self._woken.set()
            self._read(answer, lane, "before")
            self._take(answer, lane, update_id)
        return answer

    def _take(self, answer: Answer, lane: ChatKey, update_id: int) -> None:
        """Let an answer have the updates up to its own."""
        waiting = self._waiting.pop(lane, [])
        for record, update in waiting:
            if update["update_id"] <= update_id:
                answer.update = update
                answer.call(record)
        if later := [one for one in waiting if one[1]["update_id"] > update_id]:
            self._waiting[lane] = later

    def _end(self, answer: Answer, *, another: bool = False) -> None:
        """Nothing more belongs to an answer."""
        answer.over = True
        lane = answer.lane
        if lane is None or self._open.get(lane) is not answer:
            return
        del self._open[lane]
        if answer.is_bare:  # the bot had nothing to say to that
            self._answers.remove(answer)
            self._size -= answer.counted
            return
        answer.done(self._clock(), another=another)
        self._read(answer, lane, "after")
        self._touch(answer)

    def _read(self, answer: Answer, lane: ChatKey, when: When) -> None:
        if self.storage != "none":
            self._unread.append((answer, lane, when))
            self._woken.set()

    def _touch(self, *answers: Answer | None) -> None:
        self.version += 1
        for answer in answers:
            if answer:
                answer.version = self.version
                self._size += answer.grown()
        self._forget()
        self._changed.set()
        self._changed = asyncio.Event()
        self._room.touch()  # the page asks for answers when it hears news

    def _forget(self) -> None:
        """Forget the oldest, as many as are too many."""
        many = len(self._answers)
        while len(self._answers) > MOST_ANSWERS or self._size > MOST_BYTES:
            gone = self._answers.popleft()
            self._size -= gone.counted
            if gone.lane and self._open.get(gone.lane) is gone:
                del self._open[gone.lane]
        if len(self._answers) < many:
            lanes = {answer.lane for answer in self._answers}
            self._known = {lane: known for lane, known in self._known.items() if lane in lanes}

    # What it looks at in Redis.

    async def watch(self, lanes: Lanes) -> None:
        """Look at the bot's lanes as long as there is anything to see; never returns."""
        self._is("there")
        while True:
            if not (self._open or self._busy or self._unread):
                await self._woken.wait()
            try:
                await self._look(lanes)
                self._is("there")
            except StorageUnavailable:
                self._is("away")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AWAY if self.storage == "away" else LOOK):
                    await self._woken.wait()

    def _is(self, storage: Literal["there", "away"]) -> None:
        if self.storage != storage:
            self.storage = storage
            self._touch()
            self._storage_version = self.version

    async def _look(self, lanes: Lanes) -> None:
        await self._read_histories(lanes)
        self._woken.clear()
        self._busy = await lanes.look()
        for key, lane in self._busy.items():
            self._see(key, lane)
        for key, answer in list(self._open.items()):
            is_old = answer.states or self._clock() - answer.time > UNSEEN
            if key not in self._busy and (is_old or key in self._waiting):
                self._end(answer)
        for key, waiting in list(self._waiting.items()):
            if key not in self._open:
                self._touch(self._begin(key, waiting[0][1]["update_id"]))
        await self._read_histories(lanes)

    def _see(self, key: ChatKey, lane: Lane) -> None:
        answer, update = self._open.get(key), lane.update or {}
        if answer is None or _is_next(answer, lane):
            answer = self._begin(key, update.get("update_id", 0))
        answer.update = lane.update or answer.update
        if answer.see(lane, self._clock()):
            self._touch(answer)

    async def _read_histories(self, lanes: Lanes) -> None:
        while self._unread:
            answer, lane, when = self._unread[0]
            entries: Sequence[str] = await lanes.history(lane)
            known = self._known.get(lane)
            if when == "before" and known is not None and (answer.over or answer.is_answered):
                entries = known  # the history may have changed by now
            share = {entry: entry for entry in known or ()}
            self._known[lane] = shared = tuple(share.get(entry, entry) for entry in entries)
            answer.remember(when, shared)
            self._unread.pop(0)
            self._touch(answer)


def _is_next(answer: Answer, lane: Lane) -> bool:
    """True if a lane has gone on to another update than the one that was seen in it."""
    if not (answer.states and answer.update and lane.update):
        return False
    if answer.exchange and (not answer.exchange.finished or asks(answer.exchange, lane.update)):
        return False  # it is what is asked, and an earlier one was answered between two looks
    return answer.update.get("update_id") != lane.update.get("update_id")
