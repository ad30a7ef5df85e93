"""Voting: people send polls of their own, and vote in any."""

import secrets
from collections.abc import Collection
from typing import Any

from bot.playground.telegram.attachments import Attachments
from bot.playground.telegram.chat import STAND_INS, Chat, Json
from bot.playground.telegram.writing import checked

LONGEST_QUESTION, LONGEST_OPTION = 300, 100
MOST_OPTIONS = 12


class Voting(Attachments):
    """See the module. ValueError says what Telegram would not allow."""

    def send_poll(
        self, chat: int, user: int, question: str, options: Collection[str], **where: Any
    ) -> Json:
        """Let ``user`` send an anonymous poll with one answer; returns the Message."""
        if len(checked(question)) > LONGEST_QUESTION:
            raise ValueError(f"a question is up to {LONGEST_QUESTION} characters")
        if not 1 <= len(options) <= MOST_OPTIONS:
            raise ValueError(f"a poll has 1 to {MOST_OPTIONS} options")
        if any(len(checked(option)) > LONGEST_OPTION for option in options):
            raise ValueError(f"an option is up to {LONGEST_OPTION} characters")
        poll = new_poll({"question": question}, [{"text": option} for option in options])
        return self._write(chat, user, {"poll": poll}, **where)

    def vote(self, chat: int, user: int, message_id: int, options: Collection[str]) -> Json:
        """Let ``user`` vote for options, by their persistent ids, none to take a vote back.

        Returns the Message. The bot is told if the poll is its own.
        """
        place = self._place_of(chat, message_id)
        poll = place.messages[message_id].get("poll")
        if poll is None:
            raise ValueError(f"there is no poll in message {message_id}")
        if not (place.member(user).present or user in STAND_INS):
            raise ValueError("this person is not in the chat: add them first")
        cast = self.votes.setdefault(poll["id"], {})
        _check(poll, options, has_voted=user in cast, now=self._now())
        cast.pop(user, None)
        if options:
            cast[user] = frozenset(options)
        counted = _counted(poll, list(cast.values()))
        if self.keep_poll(counted):
            self.updates.add("poll", told(counted))
            if not poll["is_anonymous"]:
                self.updates.add("poll_answer", self._answer(place, user, counted, options))
        return place.messages[message_id]

    def close_poll(self, poll_id: str) -> None:
        """Close a poll whose time is over, unless it is closed already or gone; the bot is told."""
        messages = [message for chat in self.chats.values() for message in chat.messages.values()]
        polls = (message["poll"] for message in messages if "poll" in message)
        poll = next((each for each in polls if each["id"] == poll_id), None)
        if poll is None or poll["is_closed"]:
            return
        closed: Json = poll | {"is_closed": True}
        if self.keep_poll(closed):
            self.updates.add("poll", told(closed))

    def keep_poll(self, poll: Json) -> bool:
        """Show a poll as it is now, in each message that has it; True if it is the bot's own."""
        own = False
        for chat in self.chats.values():
            for number, message in list(chat.messages.items()):
                if message.get("poll", {}).get("id") == poll["id"]:
                    own = own or (number in chat.own and "forward_origin" not in message)
                    self.keep(chat, {**message, "poll": poll})
        return own

    def _answer(self, place: Chat, user: int, poll: Json, options: Collection[str]) -> Json:
        who = self._author(place, user)
        places = {option["persistent_id"]: n for n, option in enumerate(poll["options"])}
        voter = {"voter_chat": place.json()} if who and who.id in STAND_INS else {}
        return {
            "poll_id": poll["id"],
            **(voter or {"user": self._person(user).json()}),
            "option_ids": sorted({places[option] for option in options}),
            "option_persistent_ids": sorted(set(options), key=places.__getitem__),
        }


def new_poll(question: Json, options: Collection[Json], kind: str = "regular") -> Json:
    """Return a Poll that nobody has voted in, anonymous and with one answer.

    ``question`` and ``options`` are texts with their entities.
    """
    return {
        "id": new_id(),
        **question,
        "options": [
            {"persistent_id": str(index), **option, "voter_count": 0}
            for index, option in enumerate(options)
        ],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": kind,
        "allows_multiple_answers": False,
        "allows_revoting": kind == "regular",
        "members_only": False,
    }


def told(poll: Json) -> Json:
    """Return a poll as it is outside of messages, where it has no description."""
    return {name: value for name, value in poll.items() if not name.startswith("description")}


def new_id() -> str:
    return str(secrets.randbits(62))


def _check(poll: Json, options: Collection[str], *, has_voted: bool, now: int) -> None:
    """ValueError if somebody cannot vote so."""
    if poll["is_closed"] or now >= poll.get("close_date", now + 1):
        raise ValueError("this poll is closed")
    if unknown := set(options) - {option["persistent_id"] for option in poll["options"]}:
        raise ValueError(f"no options of this poll: {', '.join(sorted(unknown))}")
    if len(set(options)) > 1 and not poll["allows_multiple_answers"]:
        raise ValueError("this poll takes one answer")
    if has_voted and not poll["allows_revoting"]:
        raise ValueError("in this poll, a vote cannot be changed")
    if not options and not has_voted:
        raise ValueError("this person has not voted")


def _counted(poll: Json, cast: Collection[Collection[str]]) -> Json:
    options = [
        option | {"voter_count": sum(option["persistent_id"] in chosen for chosen in cast)}
        for option in poll["options"]
    ]
    return poll | {"options": options, "total_voter_count": len(cast)}
