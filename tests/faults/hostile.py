"""Updates as no Telegram of good will sends them: made by chance, from a seed."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_DEEP: Any = 0
for _ in range(60):
    _DEEP = [_DEEP]
WILD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**18, -(10**18), 10**400, float("nan"), float("inf"), "",
    "text", "/stop", "@demo_bot", "\ud800", "\x00", "x" * 100_000, [], {}, [None], [[]], {"": {}},
    [{"type": "mention", "offset": 10**9, "length": 5}], [{"type": "bot_command", "offset": -3}],
    {"id": True}, {"id": "1"}, _DEEP,
]  # fmt: skip
"""What is put in the place of anything."""
NO_JSON = (
    b"[" * 200_000 + b"]" * 200_000,
    b"7" * 5000,
    b'"\xff\xfe"',
    b"{]",
    b'"\x01"',
)
"""What no parser reads: too deep, too large, not UTF-8, not JSON."""


def valid(number: int, chat: int) -> Json:
    """An update with much in it that can go wrong."""
    person = {"id": chat, "is_bot": False, "first_name": "Eve", "language_code": "en"}
    place = {"id": chat, "type": "private", "first_name": "Eve"}
    entity = {"type": "bot_command", "offset": 0, "length": 6}
    older = {"message_id": 1, "date": 1, "chat": place, "from": person, "text": "older"}
    message = {
        **older,
        "message_id": number,
        "text": "/start now",
        "entities": [entity, {"type": "mention", "offset": 7, "length": 3, "user": person}],
        "reply_to_message": older,
        "sender_chat": place,
        "message_thread_id": 5,
        "is_topic_message": True,
        "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}],
        "forward_origin": {"type": "user", "date": 1, "sender_user": person},
    }
    for name in random.Random(number).sample(list(message)[5:], 4):
        del message[name]
    return {"update_id": number, "message": message}


def mutated(update: Json, chance: random.Random) -> Json:
    """The update with one to three of its values replaced, or gone; its number stays."""
    update = copy.deepcopy(update)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        holder, name = chance.choice(list(_places(update["message"])) or [(update, "message")])
        if chance.random() < 0.2:
            del holder[name]
        else:
            holder[name] = copy.deepcopy(chance.choice(WILD))
        if not isinstance(update.get("message"), dict):
            break
    return update


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value, as its holder and its name or number there."""
    named = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in list(named):
        yield value, name
        if isinstance(inner, dict | list):
            yield from _places(inner)


def raw(update: Any) -> bytes:
    """The update in Telegram's own JSON, which is ASCII."""
    return json.dumps(update).encode()
