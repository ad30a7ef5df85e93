"""Menus of commands: set by scope and language, and what each person sees of them."""

import pytest

from bot.playground.telegram.chat import Json
from bot.playground.telegram.commands import menu
from bot.playground.telegram.room import Room
from tests.playground.calling import call, refused

ANN, BORIS = 7, 8
GROUP, CHANNEL = -5, -1000000000006


@pytest.fixture
def room() -> Room:
    """A group of which Ann is the creator, and a private chat with each."""
    room = Room("42:token")
    room.make_person(ANN, "Ann", language="ru-RU")
    room.make_person(BORIS, "Boris", language="en")
    room.set_member(GROUP, ANN, "creator")
    room.set_member(GROUP, BORIS, "member")
    room.make_chat(CHANNEL, "channel", "News")
    for person in (ANN, BORIS):
        room.say(person, person, "/start")
    return room


def commands(name: str) -> list[Json]:
    return [{"command": name, "description": f"Does {name}"}]


def scope(kind: str, chat: int = 0, user: int = 0) -> Json:
    ids = {"chat_id": chat} if chat else {}
    return {"type": kind, **ids, **({"user_id": user} if user else {})}


SCOPES = [
    scope("default"),
    scope("all_private_chats"),
    scope("all_group_chats"),
    scope("all_chat_administrators"),
    scope("chat", GROUP),
    scope("chat", ANN),
    scope("chat_administrators", GROUP),
    scope("chat_member", GROUP, ANN),
]


def test_each_scope_has_its_own_in_each_language(room: Room) -> None:
    """What is set for one is got there alone, and deleted there alone."""
    kinds = [(number, code) for number in range(len(SCOPES)) for code in ("", "ru")]
    for number, code in kinds:
        where = {"scope": SCOPES[number], "language_code": code}
        assert call(room, "setMyCommands", commands=commands(f"c{number}{code}"), **where) is True
    for number, code in kinds:
        where = {"scope": SCOPES[number], "language_code": code}
        assert call(room, "getMyCommands", **where) == commands(f"c{number}{code}")
    assert call(room, "getMyCommands") == commands("c0")
    assert call(room, "getMyCommands", language_code="en") == []
    call(room, "deleteMyCommands", scope=SCOPES[4])
    assert call(room, "getMyCommands", scope=SCOPES[4]) == []
    assert call(room, "getMyCommands", scope=SCOPES[4], language_code="ru") == commands("c4ru")


def test_the_narrowest_scope_is_seen(room: Room) -> None:
    """By administrators and members, alone and in a group, each in their language if there is."""
    steps = [
        (SCOPES[0], ["default"] * 4),
        (SCOPES[1], ["default", "default", "all_private_chats", "all_private_chats"]),
        (
            SCOPES[2],
            ["all_group_chats", "all_group_chats", "all_private_chats", "all_private_chats"],
        ),
        (SCOPES[3], ["all_chat_administrators", "all_group_chats"]),
        (SCOPES[5], ["all_chat_administrators", "all_group_chats", "chat", "all_private_chats"]),
        (SCOPES[4], ["chat", "chat", "chat", "all_private_chats"]),
        (SCOPES[6], ["chat_administrators", "chat", "chat", "all_private_chats"]),
        (SCOPES[7], ["chat_member", "chat", "chat", "all_private_chats"]),
    ]
    for each, expected in steps:
        call(room, "setMyCommands", commands=commands(each["type"]), scope=each)
        shown = [
            menu(room, chat, who)[0]["command"]
            for chat, who in ((GROUP, ANN), (GROUP, BORIS), (ANN, ANN), (BORIS, BORIS))
        ]
        assert shown[: len(expected)] == expected
    call(room, "setMyCommands", commands=commands("russian"), scope=SCOPES[7], language_code="ru")
    assert menu(room, GROUP, ANN) == commands("russian")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"scope": 5}, "can't parse BotCommandScope: BotCommandScope must be an Object"),
        ({"scope": {}}, "can't parse BotCommandScope: Can't find field \"type\""),
        ({"scope": {"type": ["chat"]}}, "can't parse BotCommandScope: Unsupported type specified"),
        ({"scope": scope("chat")}, "can't parse BotCommandScope: Can't find field \"chat_id\""),
        (
            {"scope": {"type": "chat_member", "chat_id": GROUP, "user_id": 0}},
            "can't parse BotCommandScope: Invalid user_id specified",
        ),
        (
            {"scope": {"type": "chat_member", "chat_id": GROUP, "user_id": "x"}},
            'can\'t parse BotCommandScope: Field "user_id" must be a valid Number',
        ),
        ({"scope": scope("chat", -77)}, "chat not found"),
        ({"scope": scope("chat_member", GROUP, 99)}, "user not found"),
        (
            {"scope": scope("chat_administrators", ANN)},
            "can't use specified scope in private chats",
        ),
        ({"scope": scope("chat", CHANNEL)}, "can't change commands in channel chats"),
        ({"language_code": "rus"}, "invalid language code specified"),
        ({"language_code": 5}, "invalid language code specified"),
    ],
)
def test_a_scope_that_is_refused(room: Room, given: Json, why: str) -> None:
    """All three methods say why, in Telegram's words."""
    for method in ("setMyCommands", "getMyCommands", "deleteMyCommands"):
        assert refused(room, method, commands=[], **given) == why


@pytest.mark.parametrize(
    ("name", "description", "why"),
    [
        ("", "x", "command must be non-empty"),
        ("/", "x", "command must be non-empty"),
        ("c" * 33, "x", "command length must not exceed 32"),
        ("Help", "x", "BOT_COMMAND_INVALID"),
        ("help", " ", "command description must be non-empty"),
        ("help", "x" * 257, "command description length must not exceed 256"),
    ],
)
def test_a_command_that_is_refused(room: Room, name: str, description: str, why: str) -> None:
    """Names and descriptions have their lengths and characters."""
    wanted = [{"command": name, "description": description}]
    assert refused(room, "setMyCommands", commands=wanted) == why


def test_a_group_is_named_in_a_scope(room: Room) -> None:
    """By its @name, if it has one."""
    room.make_chat(GROUP, "group", "Group", username="friends")
    named = {"type": "chat", "chat_id": "@Friends"}
    assert call(room, "setMyCommands", commands=commands("x"), scope=named) is True
    assert call(room, "getMyCommands", scope=scope("chat", GROUP)) == commands("x")
    nobody = {"type": "chat", "chat_id": "@nobody"}
    assert refused(room, "getMyCommands", scope=nobody) == "chat not found"


def test_commands_are_kept_tidy(room: Room) -> None:
    """Without the slash and the spaces around them; a hundred is the most."""
    call(room, "setMyCommands", commands=[{"command": " /help ", "description": " Help ", "x": 1}])
    assert call(room, "getMyCommands") == [{"command": "help", "description": "Help"}]
    assert refused(room, "setMyCommands", commands=commands("a") * 101) == "BOT_COMMANDS_TOO_MUCH"
    with pytest.raises(ValueError, match="no such"):
        menu(room, -77, ANN)
