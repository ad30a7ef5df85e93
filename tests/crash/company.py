"""A closed bot's people change what it is, and talk around it, in a storm.

They set up their chats, redeem invitations, are let in and turned away. Whatever they say comes
about once, and in its order: each change stands, and no invitation lets in more than it is for.
"""

import itertools
import json
import random
import re
from asyncio import sleep
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from redis.asyncio import Redis

from handlers.texts import ENGLISH
from handlers.turn.press import Choice
from storage import keys
from storage.access import Listed
from storage.message import ChatKey
from tests.crash.storm import SERVER, Storm
from tests.crash.verdict import Verdict, leftovers
from tests.crash.world import World

OWNER = 1
PEOPLE = range(11, 19)
"""Whom the environment names: they set up their chats, and talk in groups."""
STRANGERS = range(21, 25)
"""On whom the owner decides, again and again."""
FIRST_GUEST = 1000
GROUPS = range(-33, -30)
HEARS = 50
TEMPERATURES = ("0", "0.3", "0.6", "1")

Told = Callable[[dict[str, Any]], object]
"""Tells of a message of the bot's whether it is the one that is waited for."""


@dataclass(slots=True)
class Company:
    """The people, and what must be so because of what they said."""

    place: World
    redis: Redis
    said: int = 0
    """How much in all; each is an update."""
    chosen: dict[int, dict[str, str]] = field(default_factory=dict)
    """Settings, by whose chat."""
    decided: dict[int, bool] = field(default_factory=dict)
    """Who is let in, of those on whom the owner decides."""
    invitations: int = 0
    """How many the owner asked for."""
    invited: dict[str, tuple[int, range]] = field(default_factory=dict)
    """For how many an invitation is, by its code, and who tries it: more than that."""
    heard: dict[int, list[str]] = field(default_factory=dict)
    """What was said around the bot, by groups."""
    asked: dict[int, list[str]] = field(default_factory=dict)
    """What it was asked there."""

    async def people(self) -> list[Coroutine[Any, Any, None]]:
        """Let the groups be heard, and prepare all people."""
        for group in GROUPS:
            settings = keys.settings(self.place.bot_id, ChatKey(group))
            await self.redis.hset(settings, "hears", HEARS)
        return [self._govern(), *map(self._choose, PEOPLE), *map(self._talk, GROUPS)]

    async def _govern(self) -> None:
        """Be the owner: invite some, who all come, and decide on others."""
        first = FIRST_GUEST
        while True:
            uses = random.randint(1, 3)
            code = await self._invitation(uses)
            guests = range(first, first + uses + 3)
            self.invited[code] = uses, guests
            for guest in guests:
                self._says(guest, f"/start {code}")
            first = guests.stop
            await self._decision(random.choice(STRANGERS), allowed=random.random() < 0.5)

    async def _invitation(self, uses: int) -> str:
        """Make an invitation; its code."""

        def code(message: dict[str, Any]) -> str:
            found = re.search(r"start=(\S+)", message["text"])
            return found[1] if found and found[1] not in self.invited else ""  # told again

        self.invitations += 1
        return code(await self._told(OWNER, self._says(OWNER, f"/invite {uses}"), code))

    async def _decision(self, stranger: int, *, allowed: bool) -> None:
        self.decided[stranger] = allowed
        command = self._says(OWNER, f"/{'allow' if allowed else 'deny'} {stranger}")
        text = (ENGLISH.now_allowed if allowed else ENGLISH.now_denied).format(who=stranger)
        await self._told(OWNER, command, lambda message: message["text"] == text)

    async def _choose(self, person: int) -> None:
        """Set up a chat, in turn by its menu and by a command."""
        menu = await self._told(person, self._says(person, "/settings"))
        chosen = self.chosen[person] = dict[str, str]()
        for version in itertools.count():
            chosen["version"] = str(version + 1)
            if version % 2:
                chosen["prompt"] = f"Be {version}."
                await self._told(person, self._says(person, f"/prompt {chosen['prompt']}"))
                continue
            chosen["temperature"] = value = random.choice(TEMPERATURES)
            choice = Choice("set", ChatKey(person), version, "temperature", value)
            self.place.room.press(person, person, menu["message_id"], str(choice), language="en")
            self.said += 1
            await self._told(person, menu, partial(_is_of, version + 1))

    async def _talk(self, group: int) -> None:
        """Talk to each other, and now and then to the bot."""
        heard, asked = self.heard.setdefault(group, []), self.asked.setdefault(group, [])
        while True:
            for _ in range(random.randint(1, 20)):
                heard.append(f"{group}.{len(heard)}")
                self._says(random.choice(PEOPLE), heard[-1], group)
                await sleep(random.uniform(0, 0.1))
            asked.append(f"q{group}.{len(asked)}")
            question = f"@{self.place.room.username} {asked[-1]}"
            await self._told(group, self._says(random.choice(PEOPLE), question, group))

    def _says(self, person: int, text: str, chat: int | None = None) -> dict[str, Any]:
        """Let somebody write, in private unless a ``chat`` is given."""
        self.said += 1
        where = person if chat is None else chat
        return self.place.room.say(where, person, text, language="en")

    async def _told(
        self, chat: int, since: dict[str, Any], is_it: Told = lambda _message: True
    ) -> dict[str, Any]:
        """Wait for what the bot says to a message, or makes of it."""
        room = self.place.room
        while True:
            for message in room.messages(chat):
                ours = message["from"]["id"] == self.place.bot_id and "text" in message
                if ours and message["message_id"] >= since["message_id"] and is_it(message):
                    return message
            await room.changed(room.version, 1)

    async def judge(self, redis: Redis) -> Verdict:
        """Judge what the bot keeps, and what it has told those who were invited."""
        verdict = Verdict(model_calls=len(self.place.model.asked))
        for person, chosen in self.chosen.items():
            found = await redis.hgetall(keys.settings(self.place.bot_id, ChatKey(person)))
            if found != chosen:
                verdict.lost.append(f"{person} has chosen {chosen}, and {found} is kept")
        await self._judge_access(redis, verdict)
        for group in GROUPS:
            await self._judge_group(redis, group, verdict)
        overheard = sum(map(len, self.heard.values()))  # which is not kept as updates
        verdict.others += await leftovers(self.place, redis, self.said - overheard)
        return verdict

    async def _judge_access(self, redis: Redis, verdict: Verdict) -> None:
        found = await redis.hgetall(keys.access(self.place.bot_id))
        found.pop("version", None)
        listed = {int(one): Listed.parse(str(found[one])).allowed for one in found}
        for stranger, allowed in self.decided.items():
            if listed.get(stranger) != allowed:
                verdict.lost.append(f"{stranger}: {listed.get(stranger)} is kept, not {allowed}")
        for uses, guests in self.invited.values():
            let_in = [guest for guest in guests if listed.get(guest)]
            if len(let_in) != uses:
                verdict.broken.append(f"an invitation for {uses} has let in {let_in}")
            for guest in guests:
                wrong = ENGLISH.invitation_wrong.format(id=guest)
                told = {message.text == wrong for message in self.place.heard(guest)}
                if told != {guest not in let_in}:
                    verdict.lost.append(f"{guest} was not told whether they are let in")
        left = await redis.hlen(keys.invitations(self.place.bot_id))
        if left != self.invitations - len(self.invited):
            verdict.broken.append(
                f"{left} invitations are open, {len(self.invited)} of {self.invitations} used up"
            )

    async def _judge_group(self, redis: Redis, group: int, verdict: Verdict) -> None:
        window = await redis.zrange(keys.heard(self.place.bot_id, ChatKey(group)), 0, -1)
        kept = [json.loads(str(one).split(" ", 2)[2])["text"] for one in window]
        if kept != self.heard[group][-HEARS:]:
            verdict.broken.append(f"{self.heard[group][-HEARS:]} was said around it, {kept} kept")
        history = await redis.lrange(keys.history(self.place.bot_id, ChatKey(group)), 0, -1)
        asked = [json.loads(one)["text"] for one in history[::2]]
        if asked != self.asked[group]:
            verdict.lost.append(f"{self.asked[group]} was asked, {asked} answered")
        verdict.questions += len(asked)


def _is_of(version: int, message: dict[str, Any]) -> bool:
    """Tell whether a menu shows the settings of a version, as its buttons say."""
    return f":{version}:" in json.dumps(message.get("reply_markup"))


STORM = Storm(
    "company",
    ("intake", "intake", "worker", "worker"),
    ("intake", "worker", SERVER),
    freezes=True,
    least=16,  # or there is hardly time for anything
    steps={"intake": ("hear", "put"), "worker": ("invite", "redeem", "decide", "commit")},
    crowd=Company,
    settings={
        "ADMINS": str(OWNER),
        "ACCESS": "closed",
        "ALLOWED_USERS": ",".join(map(str, PEOPLE)),
    },
)
