"""What the inspector knows of each answer: the real bot, a real Redis, over HTTP."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot import web
from bot.app import running
from bot.background import beside
from bot.completion.request_id import request_id
from bot.playground.door import answer_routes
from bot.playground.inspector import inspector as module
from bot.playground.inspector.answer import MOST_CALLS, Answer, Model
from bot.playground.inspector.inspector import Inspector
from bot.playground.inspector.lanes import Lane, Lanes
from bot.playground.yandex.replies import Cut, Refuse, Say
from storage.arrivals import Arrival
from storage.inbox import Inbox
from storage.message import ChatKey
from storage.server.connect import StorageUnavailable
from tests.conftest import ANN, BORIS, GROUP, World

KEY = "test-key"


class Looking:
    """A world whose answers are inspected, as its page does."""

    def __init__(self, world: World, inspector: Inspector, http: httpx.AsyncClient) -> None:
        self.world = world
        self.inspector = inspector
        self.http = http

    async def listed(self, chat: int, since: int = -1, **more: int) -> list[dict[str, Any]]:
        asked: dict[str, str | int] = {"chat": chat, "since": since, "run": "run", **more}
        response = await self.http.get("/demo/answers", params=asked)
        found: list[dict[str, Any]] = response.raise_for_status().json()["answers"]
        return found

    async def one(self, chat: int, number: int) -> dict[str, Any]:
        response = await self.http.get("/demo/answer", params={"chat": chat, "number": number})
        found: dict[str, Any] = response.raise_for_status().json()
        return found

    async def over(self, chat: int, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many answers of a chat are over, and read in full, and give them."""
        version = -1
        async with asyncio.timeout(60):
            while True:
                numbers = [one["number"] for one in await self.listed(chat)]
                found = [await self.one(chat, number) for number in numbers]
                done = [one for one in found if one["over"] and one["history"]["after"] is not None]
                if len(done) >= count:
                    return done
                await self.inspector.news(chat, "run", version, 5)
                version = self.inspector.version


class Silence(Lanes):
    """Lanes that tell when a worker is seen to be silent."""

    def __init__(self, world: World) -> None:
        super().__init__(world.redis, world.bot_id, world.settings.timing)
        self.seen = asyncio.Event()

    async def look(self) -> dict[ChatKey, Lane]:
        found = await super().look()
        if any(lane.state == "silent" for lane in found.values()):
            self.seen.set()
        return found


class Late(Lanes):
    """Lanes whose histories can be read only while they may."""

    def __init__(self, world: World) -> None:
        super().__init__(world.redis, world.bot_id, world.settings.timing)
        self.may = asyncio.Event()
        self.may.set()

    async def history(self, lane: ChatKey) -> list[str]:
        await self.may.wait()
        return await super().history(lane)


@contextlib.asynccontextmanager
async def inspected(
    world: World, lanes: Lanes | None = None, **more: Any
) -> AsyncIterator[Looking]:
    inspector = Inspector(world.room, world.model, "run", Model(**{"window": 32_000} | more))
    lanes = lanes or Lanes(world.redis, world.bot_id, world.settings.timing)
    app = Starlette(routes=answer_routes(inspector))
    async with (
        beside(inspector.watch(lanes)),
        web.serving(app, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        yield Looking(world, inspector, http)


@pytest.fixture
async def looking(elsewhere: World) -> AsyncIterator[Looking]:
    """Look at a world, then let the bot begin."""
    async with inspected(elsewhere) as looking, running(elsewhere.settings):
        yield looking


def entries(history: list[str]) -> list[tuple[str, str]]:
    return [(one["role"], one["text"]) for one in map(json.loads, history)]


async def test_whoever_asks_waits_as_long_as_wanted(looking: Looking) -> None:
    async with asyncio.timeout(10):
        assert await looking.listed(ANN, looking.inspector.version, wait=0) == []


async def test_an_answer(looking: Looking) -> None:
    """Its request, the answer as it came, tokens and times, the history, the calls, the lane."""
    world = looking.world
    world.model.script(Say("Hello, Ann.", steps=3, delay=0.1))
    await world.says(ANN, ANN, "Hi there")
    (answer,) = await looking.over(ANN)
    question = world.room.messages(ANN)[0]["message_id"]
    assert answer["question"] == {"kind": "message", "message_id": question, "text": "Hi there"}
    assert answer["request"]["body"] == world.bodies()[-1]
    asked = answer["asked"]
    assert (asked["status"], asked["ended"], asked["messages"]) == (200, "FINAL", 2)
    assert asked["tokens"]["total"] == asked["tokens"]["input"] + asked["tokens"]["completion"]
    assert 0 < asked["first_words"] < asked["took"]
    lines = answer["answer"]["head"].splitlines()
    assert len(lines) == 3
    assert json.loads(lines[-1])["result"]["alternatives"][0]["message"]["text"] == "Hello, Ann."
    assert answer["history"]["before"] == []
    added = [("user", "Hi there"), ("assistant", "Hello, Ann.")]
    assert entries(answer["history"]["after"]) == added
    assert answer["left_out"] == []
    calls = answer["calls"]
    assert (calls[0]["method"], calls[0]["result"][0]["message"]["text"]) == (
        "getUpdates",
        "Hi there",
    )
    assert {"sendMessage", "editMessageText"} <= {call["method"] for call in calls}
    assert all(call["status"] == 200 and call["took"] >= 0 for call in calls)
    assert answer["messages"] == [world.said(ANN)[-1]["message_id"]]
    states = [state["state"] for state in answer["lane"]]
    assert states[-2:] == ["in_work", "done"]
    assert answer["lane"][-2]["owner"]


@pytest.mark.slow
async def test_the_next_answer_has_the_last_ones_history(looking: Looking) -> None:
    """Before is what was after; /reset, which asks nobody, leaves nothing of it."""
    for text in ("one", "two"):
        await looking.world.says(ANN, ANN, text)
        await looking.over(ANN, 1 if text == "one" else 2)
    await looking.world.says(ANN, ANN, "/reset")
    first, second, reset = await looking.over(ANN, 3)
    assert second["history"]["before"] == first["history"]["after"]
    assert len(second["history"]["after"]) == 4
    assert (reset["request"], reset["asked"]) == (None, None)
    assert reset["question"]["text"] == "/reset"
    assert reset["history"] == {"before": second["history"]["after"], "after": []}


async def test_a_history_that_is_read_late(elsewhere: World) -> None:
    """An answer that is kept by then was not there before it."""
    late = Late(elsewhere)
    async with inspected(elsewhere, late) as looking, running(elsewhere.settings):
        await elsewhere.says(ANN, ANN, "one")
        await looking.over(ANN)
        late.may.clear()
        await elsewhere.says(ANN, ANN, "two")
        late.may.set()
        first, second = await looking.over(ANN, 2)
    assert second["history"]["before"] == first["history"]["after"]
    assert len(second["history"]["after"]) == 4


@pytest.mark.slow
async def test_what_is_asked_again(looking: Looking) -> None:
    """A refused try and the next one are two requests; ⟳ leaves out what it replaces."""
    world = looking.world
    world.model.script(Refuse(503, "busy"), Say("one"))
    await world.says(ANN, ANN, "hi")
    tried, answered = await looking.over(ANN, 2)
    assert (tried["asked"]["status"], tried["asked"]["error"]) == (503, "busy")
    assert tried["asked"]["first_words"] is None
    assert answered["asked"]["status"] == 200
    assert answered["question"] == tried["question"]
    message = world.said(ANN)[-1]
    again = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    world.room.press(ANN, ANN, message["message_id"], again)
    pressed = (await looking.over(ANN, 3))[-1]
    assert pressed["question"]["text"] == again
    assert [(one["why"], one["count"]) for one in pressed["left_out"]] == [("replaced", 2)]
    assert "answerCallbackQuery" in [call["method"] for call in pressed["calls"]]


@pytest.mark.slow
async def test_another_topic_is_another_lane(looking: Looking) -> None:
    """The answer's list is its topic's."""
    world = looking.world
    forum = -1_000_000_000_555
    topic = world.room.open_topic(forum, "News")
    for thread, text in ((topic, "in the topic"), (None, "elsewhere")):
        world.room.say(forum, ANN, f"@{world.room.username} {text}", topic=thread)
    found = await looking.over(forum, 2)
    for one in found:
        said = entries(one["history"]["after"])[0][1]
        assert ("topic" in said) is (one["topic"] == topic)
        assert ("topic" in one["request"]["body"]["messages"][-1]["text"]) is (
            one["topic"] == topic
        )


@pytest.mark.slow
async def test_talk_that_is_no_question_is_no_answer(looking: Looking) -> None:
    """What a group says among itself makes no entry; nor does what only counts tokens."""
    world = looking.world
    world.room.say(GROUP, ANN, "among ourselves")
    world.room.say(ANN, ANN, "/tokens")
    await looking.over(ANN)
    async with asyncio.timeout(60):
        while looking.inspector._open:  # noqa: ASYNC110 - nobody is told of nothing
            await asyncio.sleep(0.02)
    assert await looking.listed(GROUP) == []


@pytest.mark.slow
async def test_a_broken_answer_is_kept_as_it_came(looking: Looking) -> None:
    """What had come of it, and what came of the next try."""
    looking.world.model.script(Cut("Half of it"), Say("All of it"))
    await looking.world.says(ANN, ANN, "hi")
    broken, whole = await looking.over(ANN, 2)
    assert "Half of it" in broken["answer"]["head"]
    assert broken["asked"]["ended"] == "PARTIAL"
    assert whole["asked"]["ended"] == "FINAL"


async def test_nothing_served_has_a_key(looking: Looking) -> None:
    """Neither the model's nor Telegram's, in any list, answer or error; the line says $API_KEY."""
    world = looking.world
    world.model.script(Refuse(401, "Unknown api key"), Say("one"))
    for text in ("/help", "hi", "hi"):
        await world.says(ANN, ANN, text)
    found = await looking.over(ANN, 3)
    assert any("$API_KEY" in (one["request"] or {"curl": ""})["curl"] for one in found)
    served = [json.dumps(found), json.dumps(await looking.listed(ANN))]
    token = world.settings.bots[0].telegram_token.get_secret_value()
    for secret in (KEY, token, token.partition(":")[2]):
        assert not any(secret in text for text in served)


@pytest.mark.slow
async def test_a_page_waits_for_what_is_new(looking: Looking) -> None:
    """It hears of its own chat alone; of another run it knows nothing."""
    inspector, world = looking.inspector, looking.world
    await world.says(ANN, ANN, "one")
    await looking.over(ANN)
    version = inspector.version
    waiting = asyncio.create_task(inspector.news(ANN, "run", version, 60))
    await world.says(GROUP, ANN, f"@{world.room.username} two")
    await looking.over(GROUP)
    assert not waiting.done()
    world.room.say(ANN, ANN, "three")
    async with asyncio.timeout(60):
        news = await waiting
    assert [one["question"]["text"] for one in news["answers"]] == ["three"]
    async with asyncio.timeout(30):
        assert (await inspector.news(ANN, "other", 10**6, 60))["answers"]
    refused = await looking.http.get("/demo/answer", params={"chat": GROUP, "number": 1})
    assert (refused.status_code, "no answer 1" in refused.json()["error"]) == (400, True)


async def test_storage_that_is_away_is_said(world: World) -> None:
    """And forgotten as soon as it is there again."""

    class Away(Lanes):
        is_away = True

        async def look(self) -> Any:
            if self.is_away:
                raise StorageUnavailable("away")
            return await super().look()

    inspector = Inspector(world.room, world.model, "run")
    lanes = Away(world.redis, world.bot_id)
    async with beside(inspector.watch(lanes)), asyncio.timeout(60):
        version = (await inspector.news(ANN, "run", -1, 60))["version"]
        world.room.say(ANN, ANN, "one")
        for storage in ("away", "there"):
            while (news := await inspector.news(ANN, "run", version, 60))["storage"] != storage:
                version = news["version"]
            Away.is_away = False


def test_a_lane_that_is_taken_over() -> None:
    """The timeline says from whom; how long the queue is is no step of its own."""
    answer = Answer(1, None, 0.0)
    steps = [
        *(Lane("waiting", behind=1), Lane("in_work", "a", 1, 1), Lane("in_work", "a", 1, 2)),
        *(Lane("silent", "a", 1, 2), Lane("in_work", "b", 2, 2), Lane("in_work", "b", 2, 2)),
    ]
    assert [answer.see(lane, now) for now, lane in enumerate(steps)] == [*[True] * 5, False]
    seen = [(one["state"], one["owner"], one.get("from")) for one in answer.states]
    assert seen == [
        ("waiting", "", None),
        ("in_work", "a", None),
        ("silent", "a", None),
        ("taken_over", "b", "a"),
    ]
    assert answer.states[1]["behind"] == 2


@pytest.mark.parametrize(
    ("lane", "another", "last"),
    [
        (Lane("silent", "a", 1), True, "asked_again"),
        (Lane("silent", "a", 1), False, "done"),
        (Lane("in_work", "a", 1), True, "done"),
    ],
)
def test_what_a_dead_worker_left_is_not_done(lane: Lane, another: bool, last: str) -> None:
    """If the next answer begins while its worker is silent, that is where it goes on."""
    answer = Answer(1, None, 0.0)
    answer.see(lane, 1.0)
    answer.done(2.0, another=another)
    assert answer.states[-1]["state"] == last


@pytest.mark.slow
async def test_a_lane_of_a_dead_worker(elsewhere: World) -> None:
    """It is seen in his hands, silent, then in those of whoever takes it over."""
    timing = replace(elsewhere.settings.timing, lease=1.0)
    settings = elsewhere.settings.model_copy(update={"timing": timing})
    world = World(elsewhere.room, elsewhere.model, settings, elsewhere.redis)
    world.model.script(Say("Hello, Ann.", steps=3, delay=0.3))  # for longer than between two looks
    world.room.say(ANN, ANN, "hi")
    dead, silence = Inbox(world.redis, world.bot_id, "the dead", timing), Silence(world)
    await dead.begin()
    async with inspected(world, silence) as looking:
        url = f"{settings.telegram_api_url}/bot{world.room.token}/getUpdates"
        (update,) = (await looking.http.get(url)).json()["result"]
        await dead.put(Arrival(ChatKey(ANN), update["update_id"], json.dumps(update)))
        await dead.take(1, 1)
        await looking.http.get(url, params={"offset": update["update_id"] + 1})  # confirms it
        await silence.seen.wait()
        async with running(settings):
            (answer,) = await looking.over(ANN)
    seen = [(one["state"], one["owner"], one.get("from")) for one in answer["lane"]]
    over = seen.index(("silent", "the dead", None)) + 1
    taken = answer["lane"][over]
    assert seen[over] == ("taken_over", taken["owner"], "the dead")
    assert taken["owner"] not in ("", "the dead")
    assert taken["claims"] == 2
    assert seen[-1] == ("done", "", None)  # a worker that pauses may be seen silent before


class Dressed:
    """Calls and requests of a bot that runs nowhere."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.inspector = Inspector(world.room, world.model, "run")

    def call(self, number: int, text: str = "x") -> None:
        room = self.world.room
        call = {
            "time": 0.0,
            "method": "sendMessage",
            "parameters": {"chat_id": ANN, "text": text},
            "ok": True,
            "result": {"message_id": number, "chat": {"id": ANN}},
        }
        with room.answering(call, 200):
            pass

    def ask(self, text: str, chat: int = 0) -> None:
        token = self.world.room.token or ""
        headers = {"x-client-request-id": request_id(token, chat)} if chat else {}
        body = {"messages": [{"role": "user", "text": text}]}
        with self.world.model.exchange("/x/completion", headers, body):
            pass


class Told(Lanes):
    """Lanes as a test says that they are."""

    def __init__(self) -> None:
        self.lanes: dict[ChatKey, Lane] = {}

    async def look(self) -> dict[ChatKey, Lane]:
        return self.lanes

    async def history(self, lane: ChatKey) -> list[str]:
        return [str(lane)]


class Queued(Dressed):
    """A chat in which questions come faster than answers."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.lanes = Told()
        self.inspector.storage = "there"
        world.room.chat(ANN)

    def fetch(self, *numbers: int) -> None:
        """Let the bot fetch questions, all in one poll."""
        call = {"time": 0.0, "method": "getUpdates", "parameters": {}, "ok": True}
        call["result"] = [self.update(number) for number in numbers]
        with self.world.room.answering(call, 200):
            pass

    def update(self, number: int) -> dict[str, Any]:
        message = {"message_id": number, "chat": {"id": ANN}, "text": f"question {number}"}
        return {"update_id": number, "message": message}

    async def look(self, number: int = 0) -> None:
        """Look at the lane, which is in work on this question, or is done."""
        lane = Lane("in_work", "a", 1, 0, self.update(number))
        self.lanes.lanes = {ChatKey(ANN): lane} if number else {}
        await self.inspector._look(self.lanes)

    async def found(self) -> list[tuple[int | None, list[str], bool]]:
        """Of each answer its question, its calls, and whether the model was asked."""
        numbers = [
            one["number"] for one in (await self.inspector.news(ANN, "run", -1, 0))["answers"]
        ]
        answers = [self.inspector.answer(ANN, number) for number in numbers]
        return [
            (
                one["question"]["message_id"],
                [call["method"] for call in one["calls"]],
                one["asked"] is not None,
            )
            for one in answers
        ]


WHOLE = [(number, ["getUpdates", "sendMessage"], True) for number in (1, 2)]


async def test_questions_that_wait_for_each_other(elsewhere: World) -> None:
    """Each has the calls of its own, also that which fetched it together with others."""
    queued = Queued(elsewhere)
    queued.fetch(1, 2)
    for number in (1, 2):
        await queued.look(number)
        queued.ask(f"question {number}", ANN)
        queued.call(10 + number)
        await queued.look(number)
    await queued.look()
    assert await queued.found() == WHOLE


async def test_a_question_right_after_an_answer(elsewhere: World) -> None:
    """The lane was empty in between, if only for so short a time that nobody saw it."""
    queued = Queued(elsewhere)
    for number in (1, 2):
        queued.fetch(number)
        await queued.look(number)
        queued.ask(f"question {number}", ANN)
        queued.call(10 + number)
    await queued.look()
    assert await queued.found() == WHOLE


async def test_answers_between_two_looks(elsewhere: World) -> None:
    """A request says whose it is, and a command is over when its lane is empty."""
    queued = Queued(elsewhere)
    for number in (1, 2):
        queued.fetch(number)
        queued.ask(f"question {number}", ANN)
        queued.call(10 + number)
    queued.fetch(3)
    await queued.look()
    queued.call(13)
    await queued.look()
    assert await queued.found() == [*WHOLE, (3, ["getUpdates", "sendMessage"], False)]


def _held(inspector: Inspector) -> int:
    return sum(one.size for one in inspector._answers)


@pytest.mark.slow
async def test_memory_is_bounded(elsewhere: World) -> None:
    """Of one answer's calls the middle is left out; of answers the oldest are forgotten."""
    dressed = Dressed(elsewhere)
    elsewhere.room.say(ANN, ANN, "hi")
    for number in range(3 * MOST_CALLS):
        dressed.call(number)
    (summary,) = (await dressed.inspector.news(ANN, "run", -1, 0))["answers"]
    answer = dressed.inspector.answer(ANN, summary["number"])
    assert (len(answer["calls"]), answer["calls_left_out"]) == (MOST_CALLS, 2 * MOST_CALLS)
    assert answer["calls"][0]["result"]["message_id"] == 0
    assert answer["calls"][-1]["result"]["message_id"] == 3 * MOST_CALLS - 1
    assert summary["calls"] == 3 * MOST_CALLS
    for _ in range(40):
        dressed.ask("x" * 1_000_000)
    assert _held(dressed.inspector) < module.MOST_BYTES
    assert (await dressed.inspector.news(ANN, "run", -1, 0))["oldest"] > 1
    for _ in range(2 * module.MOST_ANSWERS):
        dressed.ask("x")
    news = await dressed.inspector.news(ANN, "run", -1, 0)
    assert len(news["answers"]) == module.MOST_ANSWERS
    dressed.call(1, "x" * 1_000_000)
    assert _held(dressed.inspector) < 1_000_000


async def test_the_same_question_in_two_chats(elsewhere: World) -> None:
    """Each request is in the chat that it is for, and in no other."""
    dressed = Dressed(elsewhere)
    for chat in (ANN, GROUP, BORIS):
        elsewhere.room.say(chat, abs(chat), "same")
    for chat in (GROUP, ANN, GROUP):
        dressed.ask("same", chat)
    found = {
        chat: (await dressed.inspector.news(chat, "run", -1, 0))["answers"]
        for chat in (ANN, GROUP, BORIS)
    }
    numbers = {chat: [one["number"] for one in answers] for chat, answers in found.items()}
    assert numbers == {ANN: [2], GROUP: [1, 3], BORIS: []}


async def test_another_programs_bot(elsewhere: World) -> None:
    """Its requests name no chat, so they are in every one; its calls are where they belong."""
    dressed = Dressed(elsewhere)
    elsewhere.room.say(ANN, ANN, "hi")
    dressed.ask("whose?")
    dressed.call(5)
    for chat, count in ((ANN, 2), (GROUP, 1)):
        answers = (await dressed.inspector.news(chat, "run", -1, 0))["answers"]
        assert len(answers) == count
        assert (answers[0]["chat"], answers[0]["question"]["text"]) == (None, "whose?")
        assert answers[0]["over"]
