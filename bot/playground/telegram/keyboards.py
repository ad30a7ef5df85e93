"""Keyboards: inline ones are part of a message; the others are shown to people under the chat.

What is refused, and in which words, is from telegram-bot-api's source (get_reply_markup) and from
TDLib's ReplyMarkup.cpp. Stricter than those, a button with two actions is refused, of which they
take the first: core.telegram.org/bots/api#inlinekeyboardbutton wants exactly one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from bot.playground.telegram.chat import Chat, Json, Person
from bot.playground.telegram.entities import is_link, marked

LONGEST_DATA = 64
"""Bytes in what an inline button sends back."""
LONGEST_COPIED, LONGEST_PLACEHOLDER = 256, 64

_STRINGS = ("url", "callback_data", "switch_inline_query", "switch_inline_query_current_chat")
_OBJECTS = (
    "switch_inline_query_chosen_chat",
    "login_url",
    "web_app",
    "copy_text",
    "callback_game",
    "disabled",
)
_MAY_BE_EMPTY = frozenset(_STRINGS[2:])
_REQUESTS = {
    "request_contact": "Phone number",
    "request_location": "Location",
    "request_poll": "Poll",
    "request_users": "Users",
    "request_chat": "Chats",
    "request_managed_bot": "Managed bots",
}
_LOOK = ("style", "icon_custom_emoji_id")
_KEYBOARD_FLAGS = ("is_persistent", "resize_keyboard", "one_time_keyboard", "selective")


class KeyboardError(ValueError):
    """Telegram refuses this keyboard; the message is its own."""


def read(markup: Any, *, only_inline: bool = False, private: bool = True) -> Json:
    """Return a reply markup as it is kept, empty if it is none. KeyboardError if it is refused.

    Only inline keyboards are for channels and edits; only in ``private`` chats, buttons ask for
    something.
    """
    if markup is None or markup == "":
        return {}
    if not isinstance(markup, dict):
        raise KeyboardError("Object expected as reply markup")
    keyboard = list(_rows(markup, "keyboard", partial(_reply_button, private=private)))
    made = _of_kind(markup, keyboard, list(_rows(markup, "inline_keyboard", _inline_button)))
    if made and only_inline and "inline_keyboard" not in made:
        raise KeyboardError("Inline keyboard expected")
    return made


def show(chat: Chat, message: Json, markup: Json, people: Mapping[int, Person]) -> None:
    """Show a reply keyboard, or none any more, to those for whom its message is.

    A selective one is for whom the message mentions, and for the author whom it replies to.
    """
    if not markup or "inline_keyboard" in markup:
        return
    selective = markup.get("selective") and chat.kind != "private"
    if not selective:
        chat.keyboards.clear()
    shown = {"message_id": message["message_id"], "reply_markup": markup, "is_hidden": False}
    for user in _addressed(message, people) if selective else (0,):
        chat.keyboards[user] = shown


def shown_to(chat: Chat, user: int) -> Json | None:
    """Return the keyboard or ForceReply that somebody sees, and the message it came with."""
    found = chat.keyboards.get(user) or chat.keyboards.get(0)
    if found is None or found["message_id"] not in chat.messages:
        return None
    return None if "remove_keyboard" in found["reply_markup"] else found


def used(chat: Chat, message: Json) -> None:
    """Put away a keyboard that somebody's message has used: a one-time one, or a ForceReply."""
    user = message.get("from", {}).get("id", 0)
    if (found := shown_to(chat, user)) is None:
        return
    markup = found["reply_markup"]
    replied = message.get("reply_to_message", {}).get("message_id")
    if "force_reply" in markup and replied == found["message_id"]:
        chat.keyboards[user] = {**found, "reply_markup": {"remove_keyboard": True}}
    buttons = [button for row in markup.get("keyboard", ()) for button in row]
    if markup.get("one_time_keyboard") and any(_is_use(message, button) for button in buttons):
        chat.keyboards[user] = {**found, "is_hidden": True}


def _is_use(message: Json, button: Json) -> bool:
    """True if somebody has written a message by a button: what it says, or what it asks for."""
    asked = {"contact", "location", "poll"} & {name.removeprefix("request_") for name in button}
    return any(name in message for name in asked) or message.get("text") == button["text"]


def _addressed(message: Json, people: Mapping[int, Person]) -> Iterator[int]:
    names = {person.username.lower(): person.id for person in people.values() if person.username}
    for entity, text in marked(message):
        if entity["type"] == "text_mention":
            yield entity["user"]["id"]
        elif entity["type"] == "mention" and (user := names.get(text[1:].lower())):
            yield user
    if author := message.get("reply_to_message", {}).get("from"):
        yield author["id"]


def _of_kind(markup: Json, keyboard: list[Any], inline: list[Any]) -> Json:
    """Return the first kind that is there, in Telegram's order."""
    if keyboard:
        return {"keyboard": keyboard, **_flags(markup, _KEYBOARD_FLAGS), **_placeholder(markup)}
    if inline:
        return {"inline_keyboard": inline}
    if markup.get("remove_keyboard") is True:
        return {"remove_keyboard": True, **_flags(markup, ("selective",))}
    if markup.get("force_reply") is True:
        return {"force_reply": True, **_flags(markup, ("selective",)), **_placeholder(markup)}
    return {}


def _flags(markup: Json, names: Collection[str]) -> Json:
    return {name: True for name in names if markup.get(name) is True}


def _placeholder(markup: Json) -> Json:
    text = markup.get("input_field_placeholder")
    if not text:
        return {}
    if not isinstance(text, str):
        raise KeyboardError('Field "input_field_placeholder" must be of type String')
    return {"input_field_placeholder": text[:LONGEST_PLACEHOLDER]}


def _rows(markup: Json, name: str, read_button: Callable[[Any], Json]) -> Iterator[list[Json]]:
    rows = markup.get(name)
    if rows is None:
        return
    if not isinstance(rows, list):
        raise KeyboardError(f'Field "{name}" must be of type Array')
    whose = " of the InlineKeyboardMarkup" if name == "inline_keyboard" else ""
    if not all(isinstance(row, list) for row in rows):
        raise KeyboardError(f'Field "{name}"{whose} must be an Array of Arrays')
    yield from ([read_button(button) for button in row] for row in rows if row)


def _reply_button(button: Any, *, private: bool) -> Json:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict):
        raise _unread("keyboard", "KeyboardButton must be a String or an Object")
    text = _text(button, "keyboard", "Keyboard button")
    wanted = {
        name: value
        for name in (*_REQUESTS, "web_app")
        if (value := button.get(name)) or value == {}  # a poll of any type
    }
    if not private and "web_app" in wanted:
        raise KeyboardError("Web App buttons can be used in private chats only")
    if not private and wanted:
        raise KeyboardError(f"{_REQUESTS[min(wanted)]} can be requested in private chats only")
    return {"text": text, **_looks(button), **wanted}


def _inline_button(button: Any) -> Json:
    if not isinstance(button, dict):
        raise _unread("inline keyboard", "InlineKeyboardButton must be an Object")
    text = _text(button, "inline keyboard", "Inline keyboard button")
    actions = {
        name: value
        for name in (*_STRINGS, *_OBJECTS, "pay")
        if _is_given(name, value := button.get(name))
    }
    if not actions:
        raise _unread("inline keyboard", "Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        names = ", ".join(actions)
        raise _unread("inline keyboard", f"exactly one action is needed, not {names}")
    ((name, value),) = actions.items()
    return {"text": text, **_looks(button), name: _action(name, value)}


def _is_given(name: str, value: Any) -> bool:
    absent = value is None or value is False or (value == "" and name not in _MAY_BE_EMPTY)
    return not absent


def _action(name: str, value: Any) -> Any:
    value = _read_number(value) if name in _STRINGS else value
    kind, called = _kind(name)
    is_right = type(value) is kind
    if not is_right:
        raise _unread("inline keyboard", f'Field "{name}" must be of type {called}')
    match name:
        case "url":
            _check_link(value, "")
        case "login_url" | "web_app":
            _check_link(value.get("url"), "login " if name == "login_url" else "Web App ")
        case "callback_data" if len(value.encode()) > LONGEST_DATA:
            raise KeyboardError("BUTTON_DATA_INVALID")
        case "callback_game":  # only sendGame, which is not served, makes messages with a game
            raise KeyboardError("BUTTON_TYPE_INVALID")
        case "copy_text":
            copied = value.get("text")
            if not isinstance(copied, str) or not 1 <= len(copied) <= LONGEST_COPIED:
                raise KeyboardError("BUTTON_COPY_TEXT_INVALID")
    return value


def _kind(name: str) -> tuple[type, str]:
    if name in _STRINGS:
        return str, "String"
    return (bool, "Boolean") if name == "pay" else (dict, "Object")


def is_https(url: str) -> bool:
    """True if ``url`` can be a Web App's."""
    return is_link(url) and url.lower().startswith("https://")


def _check_link(url: Any, what: str) -> None:
    if not isinstance(url, str):
        raise _unread("inline keyboard", 'Can\'t find field "url"')
    if not is_link(url):
        raise KeyboardError(f"Inline keyboard button {what}URL '{url}' is invalid: Wrong HTTP URL")
    if what and not is_https(url):
        why = "Only HTTPS links are allowed"
        raise KeyboardError(f"Inline keyboard button {what}URL '{url}' is invalid: {why}")


def _text(button: Json, keyboard: str, whose: str) -> str:
    if "text" not in button:
        raise _unread(keyboard, 'Can\'t find field "text"')
    text = _read_number(button["text"])
    if not isinstance(text, str):
        raise _unread(keyboard, 'Field "text" must be of type String')
    if not text.strip():
        raise KeyboardError(f"{whose} text must be non-empty")
    return text


def _read_number(value: Any) -> Any:
    """Read a number as a string, as Telegram does wherever it wants one."""
    return str(value) if type(value) in (int, float) else value


def _looks(button: Json) -> Json:
    return {name: button[name] for name in _LOOK if isinstance(button.get(name), str)}


def _unread(keyboard: str, why: str) -> KeyboardError:
    return KeyboardError(f"Can't parse {keyboard} button: {why}")
