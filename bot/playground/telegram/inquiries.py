"""What a bot asks about a chat and the people in it, and how it leaves one.

Which errors come, and in which order, is from telegram-bot-api's source and TDLib's.
"""

from bot.playground.telegram.chat import Json
from bot.playground.telegram.parameters import bad, flag, known_chat, number, open_chat
from bot.playground.telegram.room import Room


def get_chat(room: Room, given: Json) -> Json:
    chat = known_chat(room, given)
    return (chat if chat.kind == "private" else open_chat(room, given)).full_json()


def get_chat_member(room: Room, given: Json) -> Json:
    """Tell of anybody, which Telegram guarantees only to administrators."""
    user = number(given, "user_id")
    if user <= 0:
        raise bad("invalid user_id specified")
    chat = open_chat(room, given)
    if user == room.bot["id"]:
        return chat.bot.json(room.bot, chat.kind)
    if user not in room.people:
        raise bad("user not found")
    if chat.person and user != chat.id:
        raise bad("member not found")
    return chat.member(user).json(room.people[user].json(), chat.kind)


def get_chat_administrators(room: Room, given: Json) -> list[Json]:
    """Tell of all administrators, of other bots only if ``return_bots`` says so."""
    chat = open_chat(room, given)
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    people = [(room.people[user], member) for user, member in chat.members.items() if member.rules]
    bots = flag(given, "return_bots")
    told = [(who, member) for who, member in people if bots or not who.is_bot]
    admins = [member.json(who.json(), chat.kind) for who, member in told]
    return admins + ([chat.bot.json(room.bot, chat.kind)] if chat.bot.rules else [])


def get_chat_member_count(room: Room, given: Json) -> int:
    return open_chat(room, given).present()


def leave_chat(room: Room, given: Json) -> bool:
    chat = open_chat(room, given)
    if chat.kind == "private":
        raise bad("can't leave private chats")
    room.leave_as_bot(chat)
    return True
