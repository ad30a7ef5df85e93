"""The world at hand: who and what there is in a room, with what programs can change of it."""

from bot.playground.telegram.chat import GENERAL, STAND_INS, Chat, Json, Person
from bot.playground.telegram.member import PERMISSIONS, RIGHTS, Status
from bot.playground.telegram.room import Room


def world(room: Room) -> Json:
    """Return everybody, all chats but private ones, and what rights and permissions there are."""
    people = [person for person in room.people.values() if person.id not in STAND_INS]
    return {
        "bot": room.bot,
        "privacy": room.privacy,
        "people": [_person(room, person) for person in people],
        "chats": [_chat(room, chat) for chat in room.chats.values() if not chat.person],
        "rights": {kind: list(rights) for kind, rights in RIGHTS.items()},
        "permissions": list(PERMISSIONS),
    }


def _person(room: Room, person: Person) -> Json:
    private = room.chats.get(person.id)
    blocked = private is not None and private.bot.status is Status.KICKED
    return person.json() | {"has_blocked": blocked, "is_deleted": person.deactivated}


def _chat(room: Room, chat: Chat) -> Json:
    return chat.json() | {
        "members": room.members(chat.id),
        "permissions": [each for each in PERMISSIONS if each in chat.permissions],
        "slow_mode": chat.slow_mode,
        "successor": chat.successor,
        "topics": [_topic(chat, topic) for topic in (GENERAL, *sorted(chat.topics))]
        if chat.forum
        else [],
    }


def _topic(chat: Chat, topic: int) -> Json:
    opened = chat.messages.get(topic, {}).get("forum_topic_created", {})
    return {"id": topic, "name": opened.get("name", ""), "closed": topic in chat.closed}
