"""Polls: sent by the bot or by people, voted in, and stopped.

Limits and errors are from telegram-bot-api's Client.cpp and TDLib's MessageContent.cpp, fields from
core.telegram.org/bots/api#poll, as of Bot API 10.3.
"""

from typing import Any

from bot.playground.telegram.chat import Json
from bot.playground.telegram.edits import change, message_to_edit
from bot.playground.telegram.fields import text
from bot.playground.telegram.parameters import (
    bad,
    flag,
    markup_of,
    number,
    open_chat,
    string,
    words_of,
)
from bot.playground.telegram.room import Room
from bot.playground.telegram.sending import send
from bot.playground.telegram.voting import (
    LONGEST_OPTION,
    LONGEST_QUESTION,
    MOST_OPTIONS,
    new_id,
    new_poll,
    told,
)

LONGEST_EXPLANATION, LONGEST_DESCRIPTION = 200, 1024
SHORTEST_OPEN, LONGEST_OPEN = 5, 2_628_000
"""Seconds until a poll closes by itself."""
_FLAGS = (
    *("allows_multiple_answers", "allows_revoting", "is_anonymous", "is_closed", "members_only"),
)


def send_poll(room: Room, given: Json) -> Json:
    chat = open_chat(room, given)
    poll = _poll(room, given)
    if chat.channel and not poll["is_anonymous"]:
        raise bad("non-anonymous polls can't be sent to channel chats")
    return send(room, given, chat, {"poll": poll} | markup_of(given))


def stop_poll(room: Room, given: Json) -> Json:
    """Close a poll of the bot's; returns the Poll."""
    chat, old = message_to_edit(room, given, "message with poll to stop")
    if "poll" not in old:
        raise bad("message is not a poll")
    if old["poll"]["is_closed"]:
        raise bad("poll has already been closed")
    stopped: Json = old["poll"] | {"is_closed": True}
    change(room, given, chat, old, {"poll": stopped}, ("poll",))
    room.keep_poll(stopped)
    room.updates.add("poll", told(stopped))
    return told(stopped)


def copied(room: Room, poll: Json) -> Json | None:
    """Return a new poll of the same; None for a quiz whose answer is not known."""
    if poll["type"] == "quiz" and "correct_option_ids" not in poll:
        return None
    options = [option | {"voter_count": 0} for option in poll["options"]]
    new: Json = {"id": new_id(), "options": options, "total_voter_count": 0, "is_closed": False}
    if "open_period" in poll:
        new |= _closing(room, new["id"], poll["open_period"])
    return poll | new


def _poll(room: Room, given: Json) -> Json:
    kind = string(given, "type") or "regular"
    if kind not in ("quiz", "regular"):
        raise bad("unsupported poll type specified")
    words = _words(given, "question", LONGEST_QUESTION, "poll question")
    question = _only_emoji(words, "question_entities")
    poll = new_poll(question, _options(given), kind)
    for name in _FLAGS:
        if given.get(name) is not None:
            poll[name] = flag(given, name)
    if kind == "quiz":
        poll |= _quiz(given, len(poll["options"]))
    if given.get("description"):
        poll |= _words(given, "description", LONGEST_DESCRIPTION, "poll description")
    _refuse_pictures(given)
    return poll | _end(room, given, poll["id"])


def _refuse_pictures(given: Json) -> None:
    options = [option for option in given["options"] if isinstance(option, dict)]
    if any(said.get(name) for said in (given, *options) for name in ("media", "explanation_media")):
        raise bad("media in polls is not served by the local Telegram")


def _words(given: Json, name: str, longest: int, what: str) -> Json:
    said = {**given, "parse_mode": given.get(f"{name}_parse_mode")}
    words = words_of(said, name, f"{name}_entities", 2**15)
    if not words[name]:
        raise bad("text must be non-empty")
    if len(words[name]) > longest:
        raise bad(f"{what} length must not exceed {longest}")
    return words


def _options(given: Json) -> list[Json]:
    options = given.get("options")
    if options is not None and not isinstance(options, list):
        raise bad("expected an Array of InputPollOption as options")
    if not options:
        raise bad("poll must have at least one answer option")
    if len(options) > MOST_OPTIONS:
        raise bad(f"poll can't have more than {MOST_OPTIONS} options")
    return [_option(option) for option in options]


def _option(option: Any) -> Json:
    said = {"text": option} if isinstance(option, str) else option
    if not isinstance(said, dict):
        raise bad("can't parse InputPollOption: Expected InputPollOption to be an Object")
    try:
        text(said, "text")
    except ValueError as error:
        raise bad(f"can't parse InputPollOption: {error}") from None
    return _only_emoji(_words(said, "text", LONGEST_OPTION, "poll options"), "text_entities")


def _only_emoji(words: Json, entities: str) -> Json:
    """Drop all entities but custom emoji, the only ones that questions and options may have."""
    kept = [each for each in words.pop(entities, ()) if each["type"] == "custom_emoji"]
    return words | {entities: kept} if kept else words


def _quiz(given: Json, count: int) -> Json:
    right = given.get("correct_option_ids")
    if right is None and "correct_option_id" in given:
        right = [number(given, "correct_option_id")]
    if not isinstance(right, list) or not right:
        raise bad("wrong correct option ID specified")
    if not all(type(each) is int and 0 <= each < count for each in right):
        raise bad("wrong correct option ID specified")
    quiz: Json = {"correct_option_ids": sorted(set(right)), "correct_option_id": min(right)}
    if given.get("explanation"):
        quiz |= _words(given, "explanation", LONGEST_EXPLANATION, "poll explanation")
    return quiz


def _end(room: Room, given: Json, poll_id: str) -> Json:
    """Return when a poll closes by itself, if it does."""
    period, date = number(given, "open_period"), number(given, "close_date")
    left = period or (date - int(room.clock()) if date else 0)
    if not period and not date:
        return {}
    if not SHORTEST_OPEN <= left <= LONGEST_OPEN:
        raise bad(
            "wrong poll open period specified" if period else "wrong poll close date specified"
        )
    return _closing(room, poll_id, left)


def _closing(room: Room, poll_id: str, seconds: int) -> Json:
    """Let a poll that is about to be sent close by itself."""
    room.later(seconds, lambda: room.close_poll(poll_id))
    return {"open_period": seconds, "close_date": int(room.clock()) + seconds}


METHODS: dict[str, Any] = {"sendPoll": send_poll, "stopPoll": stop_poll}
