"""One answer of the bot's, and everything that is known of how it came about."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bot.playground.inspector.curl import curl
from bot.playground.inspector.lanes import Lane
from bot.playground.inspector.left_out import LeftOut, left_out, plain
from bot.playground.telegram.chat import Json
from bot.playground.yandex.exchange import LONGEST, Exchange
from storage.message import UNREADABLE, ChatKey

MOST_CALLS = 200
"""Most calls kept of one answer; of more, those in the middle are left out."""
MOST_STATES = 100
LONGEST_EXTRACT = 200
"""Characters of a question in a list of answers."""

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of the model that is asked.

    ``url`` is where it really is, if requests are only passed on from here; ``folder_id`` is the
    real one, None if there is none; ``window`` is as in the bot's settings. ``any_key`` will do.
    """

    url: str | None = None
    folder_id: str | None = None
    window: int | None = None
    any_key: bool = True


UNKNOWN = Model()
"""A model of this process's own, or another program's."""


@dataclass(slots=True)
class Answer:
    """See the module. It may be one to a command, or to a button, and then nothing was asked.

    ``lane`` is None if the request does not say which chat it is for. ``before`` and ``after`` are
    the conversation's history. It is ``over`` once the bot has done with it.
    """

    number: int
    lane: ChatKey | None
    time: float
    version: int = 0
    exchange: Exchange | None = None
    update: Mapping[str, Any] | None = None
    calls: list[Json] = field(default_factory=list)
    calls_left_out: int = 0
    states: list[Json] = field(default_factory=list)
    before: Sequence[str] | None = None
    after: Sequence[str] | None = None
    over: bool = False
    asked: int = 0
    """Bytes of the request."""
    called: int = 0
    """Bytes of the calls."""
    kept: int = 0
    """Characters of the histories."""
    counted: int = 0
    """What `grown` last said of the size, in all."""

    @property
    def size(self) -> int:
        """About how many bytes it takes; what it shares with others counts in each."""
        said = min(self.exchange.answer.size, 2 * LONGEST) if self.exchange else 0
        return self.asked + self.called + said + self.kept

    def grown(self) -> int:
        """Return by how many bytes it has grown since this was last asked."""
        before, self.counted = self.counted, self.size
        return self.counted - before

    @property
    def is_bare(self) -> bool:
        """True as long as the bot has only fetched the update."""
        return self.exchange is None and all(call["method"] == "getUpdates" for call in self.calls)

    @property
    def is_answered(self) -> bool:
        """True once the model has said all."""
        return bool(self.exchange and self.exchange.finished)

    def ask(self, exchange: Exchange) -> None:
        """Note the request to the model."""
        self.exchange = exchange
        self.asked = len(json.dumps(exchange.body, ensure_ascii=False))

    def remember(self, when: When, entries: Sequence[str]) -> None:
        """Note the history."""
        self.kept += sum(map(len, entries))
        if when == "before":
            self.before = entries
        else:
            self.after = entries

    def call(self, call: Json) -> Json:
        """Note a call, and return it."""
        self.calls.append(call)
        self.called += len(json.dumps(call, ensure_ascii=False))
        if len(self.calls) > MOST_CALLS:
            gone = self.calls.pop(MOST_CALLS // 2)
            self.called -= len(json.dumps(gone, ensure_ascii=False))
            self.calls_left_out += 1
        return call

    def see(self, lane: Lane, now: float) -> bool:
        """Note what a look at the lane has shown; True if that is new."""
        owners = [state["owner"] for state in self.states if state["owner"]]
        state = {"state": lane.state, "owner": lane.owner, "claims": lane.claims}
        last = self.states[-1] if self.states else {}
        if lane.state == "in_work" and owners and owners[-1] != lane.owner:
            state |= {"state": "taken_over", "from": owners[-1]}
        elif last.get("state") == "taken_over" and lane.state == "in_work":
            state |= {"state": "taken_over", "from": last["from"]}
        is_new = {name: last.get(name) for name in state} != state
        if is_new:
            self.states.append({"time": now, **state, "behind": lane.behind})
        elif last["behind"] != lane.behind:
            last["behind"], is_new = lane.behind, True
        if len(self.states) > MOST_STATES:
            del self.states[MOST_STATES // 2]
        return is_new

    def done(self, now: float, *, another: bool = False) -> None:
        """Note that nothing is left to be done, or that ``another`` answer begins in its place.

        After a worker that gave no sign of life, that other one is to the same question.
        """
        was_silent = bool(self.states) and self.states[-1]["state"] == "silent"
        state = "asked_again" if another and was_silent else "done"
        self.states.append({"time": now, "state": state, "owner": "", "claims": 0, "behind": 0})

    def summary(self) -> Json:
        """Return it as JSON for a list of answers."""
        place = self.lane or ChatKey(0)
        return {
            "number": self.number,
            "chat": place.chat_id or None,
            "topic": place.topic_id,
            "time": self.time,
            "over": self.over or (self.is_answered and not self.lane),
            "question": self._question(),
            "asked": self._asked(),
            "calls": len(self.calls) + self.calls_left_out,
            "messages": self._messages(),
            "lane": self.states[-1] if self.states else None,
        }

    def json(self, model: Model) -> Json:
        """Return all of it as JSON, without credentials."""
        return {
            **self.summary(),
            "request": self._request(model),
            "answer": self._answer(),
            "history": {"before": self.before, "after": self.after},
            "left_out": self._left_out(model),
            "budget": self._budget(model),
            "calls": self.calls,
            "calls_left_out": self.calls_left_out,
            "lane": self.states,
        }

    def _question(self) -> Json:
        kind, message, text = _words(self.update)
        if not text and (messages := self._told()):
            text = str(messages[-1].get("text") or "")
        number = message.get("message_id")
        return {"kind": kind, "message_id": number, "text": text[:LONGEST_EXTRACT]}

    def _asked(self) -> Json | None:
        """Return what the request came to: its status, tokens, and seconds."""
        exchange = self.exchange
        if exchange is None:
            return None
        begun, finished = exchange.begun, exchange.finished
        return {
            "time": exchange.time,
            "status": exchange.status if finished else None,
            "model": self._body().get("modelUri"),
            "messages": len(self._told()),
            "first_words": begun - exchange.time
            if begun and exchange.status in (None, 200)
            else None,
            "took": finished - exchange.time if finished else None,
            **(_result(exchange.answer.last) if finished else {"ended": None, "tokens": None}),
        }

    def _messages(self) -> list[int]:
        """Return the numbers of the messages on Telegram that show it."""
        results = [call["result"] for call in self.calls if isinstance(call.get("result"), dict)]
        numbers = [result.get("message_id") for result in results]
        return list(dict.fromkeys(number for number in numbers if isinstance(number, int)))

    def _request(self, model: Model) -> Json | None:
        if self.exchange is None:
            return None
        shown = self.exchange.public()
        url = f"{model.url or 'http://' + shown['headers'].get('host', '')}{self.exchange.path}"
        line = curl(url, self.exchange.headers, shown["body"], model.folder_id, local=model.any_key)
        return {"url": url, "headers": shown["headers"], "body": shown["body"], "curl": line}

    def _answer(self) -> Json | None:
        if self.exchange is None:
            return None
        head, tail, left_out = self.exchange.answer.parts()
        return {"head": head, "tail": tail, "left_out": left_out}

    def _left_out(self, model: Model) -> list[Json] | None:
        if self.exchange is None or self.before is None:
            return None
        budget = self._budget(model)
        tokens = budget["budget"] if budget else None
        found: Sequence[LeftOut] | None = left_out(self.before, self._told(), tokens)
        return None if found is None else [asdict(one) for one in found]

    def _budget(self, model: Model) -> Json | None:
        """Return how the model's window is shared between a request and its answer, in tokens."""
        options = self._body().get("completionOptions")
        try:
            most = int(options["maxTokens"]) if isinstance(options, dict) else 0
        except UNREADABLE:
            return None
        if model.window is None:
            return None
        return {"window": model.window, "max_tokens": most, "budget": model.window - most}

    def _body(self) -> Json:
        return _object(self.exchange.body) if self.exchange else {}

    def _told(self) -> list[Any]:
        return _told(self.exchange) if self.exchange else []


def asks(exchange: Exchange, update: Mapping[str, Any] | None) -> bool:
    """True if a request seems to ask what an update says.

    In a group the bot labels it with a name, leaves its own name out, and may put something before.
    """
    text, told = _words(update)[2].strip(), _told(exchange)
    asked = plain(str(told[-1].get("text"))) if told else ""
    return bool(text) and bool(asked) and (text in asked or asked in text)


def _words(update: Mapping[str, Any] | None) -> tuple[str, Json, str]:
    """Return an update's kind, the message that it is about, and its text or data."""
    kinds = [name for name in update or () if name != "update_id"]
    content = _object(update[kinds[0]]) if update and kinds else {}
    text = content.get("data") or content.get("text") or content.get("caption") or ""
    message = _object(content.get("message")) or content
    return kinds[0] if kinds else "", message, str(text)


def _told(exchange: Exchange) -> list[Any]:
    """Return the messages of a request."""
    messages = _object(exchange.body).get("messages")
    if isinstance(messages, list) and all(isinstance(one, dict) for one in messages):
        return messages
    return []


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _result(last: str) -> Json:
    """Read the last line of an answer: its status and its tokens, or the error."""
    try:
        found = json.loads(last)
        if error := found.get("error"):
            return {"ended": "error", "tokens": None, "error": str(error.get("message"))}
        usage = found["result"]["usage"]
        status = str(found["result"]["alternatives"][0]["status"])
        details = usage.get("completionTokensDetails") or {}
        tokens = {
            "input": int(usage["inputTextTokens"]),
            "completion": int(usage["completionTokens"]),
            "total": int(usage["totalTokens"]),
            "reasoning": int(details.get("reasoningTokens") or 0),
        }
    except UNREADABLE:
        return {"ended": None, "tokens": None}
    return {"ended": status.removeprefix("ALTERNATIVE_STATUS_"), "tokens": tokens}
