"""The people and chats that the demo begins with."""

from dataclasses import replace

from bot.playground.telegram.chat import Person
from bot.playground.telegram.member import Status
from bot.playground.telegram.room import Room

ANNA = Person(101, "Anna", username="anna")
BORIS = Person(102, "Boris", username="boris")
CLARA = Person(103, "Clara", username="clara")
PEOPLE = (ANNA, BORIS, CLARA)
GROUP = -1_000_000_000_100
FORUM = -1_000_000_000_200
CHANNEL = -1_000_000_000_300


def furnish(room: Room) -> None:
    """Make a group, a forum and a channel: Anna owns them, so she may /reset there.

    The bot is in all of them, and is told of nothing that happened before it.
    """
    for person in PEOPLE:
        room.people[person.id] = replace(person)
    for chat, kind, title in (
        (CHANNEL, "channel", "News channel"),
        (FORUM, "forum", "Team forum"),
        (GROUP, "supergroup", "Friends group"),
    ):
        room.make_chat(chat, kind, title)
        room.set_member(chat, ANNA.id, Status.CREATOR)
        for person in (BORIS, CLARA):
            room.set_member(chat, person.id, Status.MEMBER)
    room.set_member(GROUP, CLARA.id, Status.ADMINISTRATOR)
    room.promote(CHANNEL)
    for name in ("Ideas", "Travel"):
        room.open_topic(FORUM, name)
    room.updates.clear()
