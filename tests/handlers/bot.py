"""A whole bot but for the wire: real handlers and storage, Telegram and the model in small."""

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from redis.asyncio import Redis
from telegram.ext import ApplicationBuilder
from telegram.request import BaseRequest, RequestData

from bot.operator.dead import addressed
from bot.updates.intake import lane_of
from bot.values import BUILT_IN
from handlers.actions.operation import Operation
from handlers.actions.register import register
from handlers.actions.tools import Tools
from handlers.context import CONTEXT, PtbApplication
from handlers.dialogue.completion import Answer, CompletionError, Speed
from handlers.dialogue.conversation import Conversation
from handlers.dialogue.personas import Persona, load
from handlers.dialogue.profile import Profile
from handlers.dispatch import Dispatch
from handlers.incoming.access import Access
from handlers.incoming.documents import Documents
from handlers.outgoing.pacing import Pacing
from handlers.outgoing.preview import Streaming
from handlers.turn.turn import Turn
from storage import keys
from storage.announcement import Announcements
from storage.arrivals import Arrival
from storage.budget import Act, Budget, Frozen
from storage.census import Census
from storage.change import Kept
from storage.chat_settings import ChatSettings
from storage.chats import Chats
from storage.dead import DeadLetters
from storage.inbox import Inbox
from storage.lane import Claim
from storage.message import ChatKey, Exchange, Message, Role
from storage.owners import OwnersMenus
from storage.timing import Timing
from tests.conftest import ANN, unlabelled
from tests.history import History

ME = {"id": 9, "is_bot": True, "first_name": "Demo", "username": "demo_bot"}
ADMINISTRATOR = dict.fromkeys(
    (
        *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
        *("can_manage_video_chats", "can_restrict_members", "can_promote_members"),
        *("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories"),
        "can_delete_stories",
    ),
    False,
)
"""What Telegram tells of one; they matter to nobody here."""
RESTRICTED: dict[str, Any] = dict.fromkeys(
    (
        *("can_change_info", "can_invite_users", "can_pin_messages", "can_send_messages"),
        *("can_send_polls", "can_send_other_messages", "can_add_web_page_previews"),
        *("can_manage_topics", "can_send_audios", "can_send_documents", "can_send_photos"),
        *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_edit_tag"),
        "can_react_to_messages",
    ),
    False,
) | {"is_member": True, "until_date": 0}
"""What it tells of somebody who may not write."""
SUPERGROUP = -1_000_000_000_500
DONE = (
    *("deleteMessage", "answerCallbackQuery", "sendChatAction", "sendMessageDraft"),
    *("editMessageReplyMarkup", "setMyCommands", "deleteMyCommands"),
)
"""Methods that result in nothing."""
CODES = {
    "Unauthorized": 401,
    "Forbidden": 403,
    "Not Found": 404,
    "Internal Server Error": 500,
    "Bad Gateway": 502,
}
PERSONAS = load(BUILT_IN)
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
_bot_ids = itertools.count(8_410_000)
_numbers = itertools.count(1)


class Telegram(BaseRequest):
    """Answers the calls that handlers make, and keeps them; any other call is an error."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.times: dict[str, list[float]] = defaultdict(list)
        """By methods, when each call came, by the loop's clock."""
        self.members: dict[int, str] = {}
        """What people are in any group: ``administrator``, say."""
        self.refusals: dict[str, deque[str | BaseException | None]] = defaultdict(deque)
        """By methods, what is said next to those who call them, or ends a call; None: it works."""
        self.results: dict[str, Any] = {}
        """By methods, what they result in, instead of what they should."""
        self.files: dict[str, bytes] = {}
        """What people have sent, by its id, which is its place, too."""
        self.gates: dict[str, asyncio.Event] = {}
        """By methods, what their calls wait for before they are answered."""
        self._called = asyncio.Event()

    @property
    def read_timeout(self) -> float:
        return 1

    async def initialize(self) -> None:
        """Nothing to do."""

    async def shutdown(self) -> None:
        """Nothing to do."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        """Answer one call."""
        name = url.rpartition("/")[2]
        given = dict(request_data.parameters) if request_data else {}
        if name != "getMe":
            self.calls.append((name, given))
            self.times[name].append(asyncio.get_running_loop().time())
            self._called.set()
        if name in self.gates:
            await self.gates[name].wait()
        if self.refusals[name] and (description := self.refusals[name].popleft()) is not None:
            if isinstance(description, BaseException):
                raise description
            code = next((CODES[word] for word in CODES if description.startswith(word)), 400)
            told = {"ok": False, "error_code": code, "description": description}
            if "upgraded" in description:
                told["parameters"] = {"migrate_to_chat_id": SUPERGROUP}
            return code, json.dumps(told).encode()
        if name in self.files:
            return 200, self.files[name]
        return 200, json.dumps({"ok": True, "result": self._result(name, given)}).encode()

    def said(self) -> list[str]:
        """The texts of all messages sent, and as what messages were edited, in their order."""
        return [given["text"] for _, given in self.of("sendMessage", "editMessageText")]

    def of(self, *names: str) -> list[tuple[str, dict[str, Any]]]:
        """The calls of these methods."""
        return [(name, given) for name, given in self.calls if name in names]

    async def until(self, number: int, *names: str) -> list[dict[str, Any]]:
        """Wait until there were so many calls of these methods, and give what they were given."""
        async with asyncio.timeout(60):
            while len(self.of(*names)) < number:
                self._called.clear()
                await self._called.wait()
        return [given for _, given in self.of(*names)]

    def _result(self, name: str, given: dict[str, Any]) -> Any:
        if name in self.results:
            return self.results[name]
        if name in DONE:
            return True
        match name:
            case "getMe" | "getChat":
                return chat(given["chat_id"]) if given else ME
            case "sendMessage" | "editMessageText" | "sendDocument":
                return {
                    "message_id": given.get("message_id") or next(_numbers),
                    "date": 1,
                    "chat": chat(given["chat_id"]),
                    "from": ME,
                    "text": given.get("text", ""),
                }
            case "getFile":
                number = given["file_id"]
                return {"file_id": number, "file_unique_id": number, "file_path": number}
            case "getChatMember":
                status, user = self.members.get(given["user_id"], "member"), given["user_id"]
                rights: Any = {"administrator": ADMINISTRATOR, "restricted": RESTRICTED}
                more = rights.get(status, {"is_anonymous": False})
                return {"status": status, "user": person(user), **more}
        raise AssertionError(f"nobody should call {name}")


class Model:
    """Says what it is told to, or repeats the question; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        """The texts of each request, but for the system's prompt."""
        self.profiles: list[tuple[Profile, int]] = []
        """With what each was asked, and in which chat."""
        self.answers: deque[Answer | CompletionError | list[Answer]] = deque()
        """A list is an answer as it grows; if it is never complete, nothing else comes."""
        self.silent = asyncio.Event()
        """That is how far it is."""

    async def stream(
        self, profile: Profile, messages: Sequence[Message], chat_id: int
    ) -> AsyncGenerator[Answer]:
        self.asked.append([message.text for message in messages[1:]])
        self.profiles.append((profile, chat_id))
        answer = self.answers.popleft() if self.answers else self._echo(messages)
        if isinstance(answer, CompletionError):
            raise answer
        for part in [answer] if isinstance(answer, Answer) else answer:
            yield part
            if part.complete:
                return
        self.silent.set()
        await asyncio.Event().wait()

    async def count(self, profile: Profile, messages: Sequence[Message], chat_id: int) -> int:
        return sum(len(message.text) for message in messages)

    def _echo(self, messages: Sequence[Message]) -> Answer:
        return Answer(f"echo: {unlabelled(messages[-1].text)}", complete=True)


class Plenty(Budget):
    """There is room, but where it is said that there is none."""

    def __init__(self, redis: Redis, bot_id: int) -> None:
        super().__init__(redis, bot_id)
        self.none: deque[Frozen | None] = deque()

    async def take(self, chat_id: int, act: Act) -> float | None:
        refusal = self.none.popleft() if self.none else 0.0
        if isinstance(refusal, Frozen):
            raise refusal
        return refusal


def operated(
    redis: Redis,
    inbox: Inbox,
    *,
    problems: Callable[[], list[str]] = list,
    speed: Callable[[], Speed | None] = lambda: None,
) -> Operation:
    """What owners can see of a bot."""

    async def found() -> list[str]:
        return problems()

    chats, letters = Chats(redis, inbox.bot_id), DeadLetters(redis, inbox.bot_id)
    count, address = Census(redis, inbox.bot_id).count, partial(addressed, inbox=inbox)
    announcements = Announcements(redis, inbox.bot_id, "announcer", inbox.timing)
    return Operation(
        chats,
        OwnersMenus(redis, inbox.bot_id),
        announcements,
        letters,
        address,
        count,
        found,
        speed,
    )


class Bot:
    """One bot of a test's own."""

    def __init__(
        self,
        redis: Redis,
        access: Access,
        *,
        buttons: bool = True,
        paced: bool = True,
        timing: Timing = Timing(),
        documents: Any = None,
        streaming: Streaming = "off",
        language: str | None = None,
        personas: Mapping[str, Persona] = PERSONAS,
        locked: frozenset[str] = frozenset(),
    ) -> None:
        self.redis, self.id = redis, next(_bot_ids)
        self.telegram, self.model = Telegram(), Model()
        self.plenty = Plenty(redis, self.id)
        budget: Any = Pacing(Budget(redis, self.id) if paced else self.plenty)
        builder = ApplicationBuilder().token(f"{self.id}:TOKEN").updater(None).job_queue(None)
        builder = builder.request(self.telegram).get_updates_request(Telegram())
        self.application: PtbApplication
        self.application = builder.context_types(CONTEXT).rate_limiter(budget).build()
        self.inbox = Inbox(redis, self.id, "worker", timing)
        self.history = History(redis, self.id)
        self.profile = Profile("model", "prompt", 0.6, 2000, 32_000)
        conversation = Conversation(self.model)
        self.problems: list[str] = []
        self.speed: Speed | None = None
        self.letters = DeadLetters(redis, self.id)
        operation = operated(
            redis, self.inbox, problems=lambda: self.problems, speed=lambda: self.speed
        )
        documents = documents or Documents()
        more = language, personas, locked
        tools = Tools(conversation, access, streaming, buttons, operation, documents, *more)
        self.menuless = tools.menuless
        register(self.application, tools)
        self.dispatch = Dispatch(self.application, tools, lambda: self.profile)

    async def hears(self, *updates: dict[str, Any], aside: bool = False) -> list[str]:
        """Let updates come in together, and be dealt with; gives what is said to them.

        ``aside``: in the lane of what only shows something.
        """
        before = len(self.telegram.said())
        for update in updates:
            lane, number = lane_of(update), next(_numbers)
            assert lane
            text = json.dumps({"update_id": number, **update})
            await self.inbox.put(Arrival(lane.aside if aside else lane, number, text))
        await self._work()
        return self.telegram.said()[before:]

    async def waits(self, update: dict[str, Any], chosen: ChatSettings | None = None) -> None:
        """Let somebody have waited long for an answer to an update."""

        async def settings_of(who: int) -> ChatSettings:
            chat = ChatKey(who)
            return ChatSettings.parse(await self.inbox.settings(chat), chat)

        text = json.dumps({"update_id": 1, **update})
        await self.dispatch.tell_late(text, chosen or ChatSettings(), settings_of)

    async def remembers(self, number: int = ANN) -> list[str]:
        """The texts of a conversation."""
        past = await self.history.newest(ChatKey(number), 100_000)
        return [message.text for exchange in past.exchanges for message in exchange]

    async def asked_before(self, lane: ChatKey, asker: int) -> None:
        """Let somebody have asked "one" there."""
        number = next(_numbers)
        await self.inbox.put(Arrival(lane, number, "{}"))
        (claim,) = await self.inbox.take(1, 1)
        question = Message(Role.USER, "one", asker)
        kept = Kept(Exchange(question, Message(Role.ASSISTANT, "echo: one")), 0, asked=number)
        await self.inbox.commit(claim, "", kept)
        await self.inbox.done(claim, answer_ids=[next(_numbers)])

    async def begins(self, update: dict[str, Any]) -> tuple[Claim, Turn]:
        """Take in an update, and begin with it; nothing else may wait."""
        lane, number = lane_of(update), next(_numbers)
        assert lane
        text = json.dumps({"update_id": number, **update})
        await self.inbox.put(Arrival(lane, number, text))
        (claim,) = await self.inbox.take(1, 1)
        opened = await self.inbox.open(claim, self.dispatch.most_bytes())
        return claim, Turn(self.inbox, claim, opened)

    async def _work(self) -> None:
        while await self.redis.xlen(keys.ready(self.id)):
            claims = await self.inbox.take(10, 0.05)
            if not claims:
                return  # what is left there is in somebody's hands
            for claim in claims:
                opened = await self.inbox.open(claim, self.dispatch.most_bytes())
                turn = Turn(self.inbox, claim, opened)
                await self.dispatch.handle(opened.head.update, turn)
                await self.inbox.done(claim, answer_ids=turn.answer_ids, chat=turn.learned)


@asynccontextmanager
async def running(redis: Redis, access: Access | None = None, **more: Any) -> AsyncIterator[Bot]:
    """A bot that is open to all, unless ``access`` says other."""
    bot = Bot(redis, access or Access(set(), set(), set()), **more)
    await bot.inbox.begin()
    async with bot.application:
        yield bot


# Telegram's own JSON


def person(number: int, **more: Any) -> dict[str, Any]:
    """Somebody who reads English."""
    return {
        "id": number,
        "is_bot": False,
        "first_name": f"User {number}",
        "language_code": "en",
        **more,
    }


def chat(number: int) -> dict[str, Any]:
    """A private chat, or a group by a negative number."""
    if number > 0:
        return {"id": number, "type": "private", "first_name": f"User {number}"}
    return {"id": number, "type": "supergroup", "title": "Group"}


def said(text: str, user: int = ANN, where: int | None = None, **more: Any) -> dict[str, Any]:
    """A message with this text."""
    entities = []
    if text.startswith("/"):
        length = len(text.split(maxsplit=1)[0])
        entities = [{"type": "bot_command", "offset": 0, "length": length}]
    elif "@demo_bot" in text:
        entities = [{"type": "mention", "offset": text.index("@demo_bot"), "length": 9}]
    return {
        "message_id": next(_numbers),
        "date": 1_700_000_000,
        "chat": chat(user if where is None else where),
        "from": person(user),
        "text": text,
        "entities": entities,
    } | more


def message(text: str, *args: Any, **more: Any) -> dict[str, Any]:
    """An update that brings it."""
    return {"message": said(text, *args, **more)}


def press(data: str, under: dict[str, Any], user: int = ANN) -> dict[str, Any]:
    """An update that tells of a button pressed under a message."""
    query = {"id": str(next(_numbers)), "from": person(user), "chat_instance": "1", "data": data}
    return {"callback_query": query | {"message": under}}
