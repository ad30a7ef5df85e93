"""What a storm has done, judged from outside: by the transcript, the model and Redis."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field

from redis.asyncio import Redis

from storage import keys
from storage.arrivals import GROUP
from storage.dead import DeadLetters
from storage.message import ChatKey, Message, Role
from tests.crash.world import FORGOTTEN, STOPPED, Asked, Halt, Heard, World

_LINE = re.compile(r"^(.+?) / (\d+) / (\d+) / ", re.MULTILINE)
"""Question, number of the answer, number of the line."""


@dataclass(slots=True)
class Verdict:
    """Faults, each in a sentence, and what is no fault as long as there is little of it."""

    questions: int = 0
    repeats: int = 0
    model_calls: int = 0
    lost: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.lost, *self.disordered, *self.broken, *self.others]


async def judge(world: World, redis: Redis) -> Verdict:
    """Judge a world that has come to rest."""
    verdict = Verdict()
    for chat, said in world.said.items():
        transcript = Transcript(said)
        transcript.read(world.heard(chat), verdict)
        transcript.explain(world.halts, verdict)
        answered = transcript.answers(world.model.asked, verdict)
        stored = await _history(redis, world.bot_id, chat)
        _judge_histories(said, answered, stored, verdict)
        counted = int(await redis.hget(keys.usage(world.bot_id, ChatKey(chat)), "answers") or 0)
        if counted != len(answered):
            verdict.broken.append(f"chat {chat}: {counted} answers counted, {len(answered)} given")
        verdict.questions += len(answered)
    verdict.model_calls = len(world.model.asked)
    updates = sum(len(said) for said in world.said.values())
    verdict.others += await leftovers(world, redis, updates)
    return verdict


class Transcript:
    """One chat: what was said, by the names of the replies to it, and the pieces of each reply.

    A question may stay without an answer only if a reset was said later, which cuts short what
    waits before it.
    """

    def __init__(self, said: list[str]) -> None:
        self._said = said
        self._pieces: dict[str, list[str]] = defaultdict(list)
        self._repeats: list[tuple[int, int, str]] = []  # numbers of a message and its repetition

    def read(self, heard: list[Heard], verdict: Verdict) -> None:
        """Walk along what was said, with what was heard."""
        place, numbers = 0, dict[str, int]()
        for number, text in self._finished(heard, verdict):
            name = text.partition(" / ")[0]
            current = self._said[place - 1] if place else ""
            before, numbers[text] = numbers.get(text, 0), number
            if text in self._pieces[name] and not self._comes_next(name, place):
                self._repeats.append((before, number, text))
                verdict.repeats += 1
                continue
            self._pieces[name].append(text)
            if name == current and name not in FORGOTTEN:
                continue  # a further piece of the same answer
            if name not in self._said[place:]:
                verdict.disordered.append(f"after {current!r} came {text[:60]!r}")
                continue
            found = self._said.index(name, place)
            self._pass_over(place, found, verdict)
            place = found + 1
        self._pass_over(place, len(self._said), verdict)

    def _finished(self, heard: list[Heard], verdict: Verdict) -> list[tuple[int, str]]:
        """Leave out answers that never grew up: another message was sent in their place."""
        finished = []
        for one, following in zip(heard, [*heard[1:], None], strict=True):
            if one.grows:
                again = following.number if following else one.number + 1
                self._repeats.append((one.number, again, one.text))
                verdict.repeats += 1
            else:
                finished.append((one.number, one.text))
        return finished

    def explain(self, halts: list[Halt], verdict: Verdict) -> None:
        """See that each repeated message has a halt of its own, between its being sent and again.

        One halt may meet several chats between "sent" and "noted", but in each only one message.
        """
        left = sorted(halts, key=lambda halt: halt.end)
        for first, again, text in self._repeats:
            halt = next((one for one in left if first <= one.end and one.start < again), None)
            if halt:
                left.remove(halt)
            else:
                verdict.others.append(f"{text[:60]!r} was repeated, and nothing had halted")

    def answers(self, asked: list[Asked], verdict: Verdict) -> dict[str, Asked]:
        """Find the model's answer to each question, and that it was sent whole."""
        found = {}
        for name, pieces in self._pieces.items():
            lines = [line.groups() for piece in pieces for line in _LINE.finditer(piece)]
            numbers = {int(number) for _, number, _ in lines}
            if len(numbers) > 1:
                verdict.others.append(f"{name!r} got different answers: {numbers}")
            elif numbers:
                found[name] = asked[numbers.pop()]
                whole = [line.groups() for line in _LINE.finditer(found[name].answer)]
                stopped = pieces[-1].endswith(STOPPED)
                if lines != (whole[: len(lines)] if stopped else whole):
                    verdict.lost.append(f"{name!r} was not answered whole")
        return found

    def _comes_next(self, name: str, place: int) -> bool:
        """Tell whether a reply is due that has the same words as an earlier one: a reset's."""
        due = self._said[place:]
        return name in due and not self._missed(place, place + due.index(name))

    def _pass_over(self, start: int, stop: int, verdict: Verdict) -> None:
        verdict.lost += [f"no reply to {name!r}" for name in self._missed(start, stop)]

    def _missed(self, start: int, stop: int) -> list[str]:
        return [
            name
            for place, name in enumerate(self._said[start:stop], start)
            if name in FORGOTTEN or not set(FORGOTTEN) & set(self._said[place:])
        ]


def _judge_histories(
    said: list[str], answered: dict[str, Asked], stored: list[Message], verdict: Verdict
) -> None:
    """Compare what Redis holds, and what came with each question, with the turns so far."""
    turns: list[Message] = []
    for name in said:
        if name in FORGOTTEN:
            turns = []
        elif name in answered:
            if list(answered[name].history) != turns:
                verdict.broken.append(f"{name!r} was asked with a wrong history")
            turns += [
                Message(Role.USER, name),
                Message(Role.ASSISTANT, answered[name].answer),
            ]
    if stored != turns:
        verdict.broken.append(f"{said[-1]!r}: {len(stored)} messages stored, {len(turns)} said")


async def _history(redis: Redis, bot_id: int, chat: int) -> list[Message]:
    entries = await redis.lrange(keys.history(bot_id, ChatKey(chat)), 0, -1)
    return [Message(Role(fields["role"]), fields["text"]) for fields in map(json.loads, entries)]


async def leftovers(world: World, redis: Redis, updates: int) -> list[str]:
    """Name what should be gone by now, after so many updates."""
    bot_id = world.bot_id
    found = [f"{key} is left" for key in await waiting(redis, bot_id)]
    queued = await redis.xlen(keys.ready(bot_id))
    pending = (await redis.xpending(keys.ready(bot_id), GROUP))["pending"]
    dead = await DeadLetters(redis, bot_id).all()
    seen = await redis.zcard(keys.seen(bot_id))
    if queued or pending:
        found.append(f"{queued} lanes are queued, {pending} pending")
    if seen != updates:
        found.append(f"{seen} updates were seen of {updates}")
    return found + [f"dead letter: {letter.reason}, {letter.update}" for letter in dead]


async def waiting(redis: Redis, bot_id: int) -> list[str]:
    """Name the keys that are there only while something waits or is in work."""
    prefixes = tuple(f"{{{bot_id}}}:{kind}:" for kind in ("mailbox", "outbox"))
    return [key async for key in redis.scan_iter(f"{{{bot_id}}}:*") if key.startswith(prefixes)]
