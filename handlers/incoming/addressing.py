"""Is a message for the bot, and what does it ask? Pure."""

import re
import time
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from telegram import Chat, Message, MessageEntity, User
from telegram.constants import ChatType
from telegram.ext import ExtBot

from handlers.incoming.migration import migration
from handlers.incoming.parsing import Unreadable, read_message, reading
from handlers.incoming.rich import Rich, nodes
from handlers.incoming.words import Span, marked, part, written
from handlers.texts import Texts
from handlers.turn.where import is_private
from storage.chat_settings import COMMAS, ChatSettings, When, is_mark
from storage.message import Message as Said
from storage.message import Role, well_formed

ANONYMOUS_ADMIN, SOME_CHANNEL = 1087968824, 136817688
"""Telegram's placeholder users for who writes in the name of a chat; they count as bots."""

_NAME = re.compile(r"(?<![\w.@])(?:/\w+)?@(\w+)")


def said(
    message: Message, text: str, person: User | None = None, *, anonymous: bool = False
) -> Said:
    """Make the history's entry for what ``message`` asks, or ``person`` by a button under it.

    An ``anonymous`` admin asks in the name of the chat.
    """
    now, chat = int(time.time()), message.chat
    if anonymous:
        return Said(Role.USER, text, chat.id, name_of(chat), now)
    if person is not None:
        return Said(Role.USER, text, person.id, name_of(person), now)
    at = int(message.date.timestamp())
    if sender := message.sender_chat:  # nobody knows who writes in its name
        return Said(Role.USER, text, sender.id, name_of(sender), at)
    author = message.from_user
    if author is None:
        return Said(Role.USER, text, at=at)
    return Said(Role.USER, text, author.id, name_of(author), at)


def name_of(author: User | Chat) -> str:
    """Return the name of a person or a chat; "" if it has none, as a deleted account."""
    # A chat with a person has a person's name, and no title.
    name = author.full_name if isinstance(author, User) else author.effective_name
    return well_formed(name or "")


def is_from_a_person(message: Message) -> bool:
    """Leave out other bots, and posts that a linked channel forwards automatically."""
    sender = message.from_user
    if message.is_automatic_forward or sender is None:
        return False
    return not sender.is_bot or sender.id in (ANONYMOUS_ADMIN, SOME_CHANNEL)


def is_own_words(message: Message) -> bool:
    """Tell whether the author wrote it: no forward, nor what another bot offered to send."""
    return message.forward_origin is None and message.via_bot is None


def writer(message: Message) -> int:
    """Return the id of a message's author: a person, or a chat in whose name somebody writes."""
    return (message.sender_chat or message.from_user or message.chat).id


def is_answered(message: Message, me: User, chosen: ChatSettings) -> bool:
    """Tell whether somebody asks the bot something, and it answers there by what is chosen.

    This is the one rule, for intake as for actions; `table` knows more of commands. Other bots are
    never answered, or two would talk for ever.
    """
    if not is_from_a_person(message):
        return False
    if is_private(message.chat):
        return True
    match chosen.when:
        case When.NEVER:
            return False
        case When.COMMANDS:
            return bool(command(message, me)) and is_addressed(message, me, chosen.names)
        case When.ALWAYS if _is_open(message):
            return True
    return is_addressed(message, me, chosen.names)


def is_spoken_to(message: Message, me: User, chosen: ChatSettings) -> bool:
    """Tell whether it is answered, and for the bot in particular: it is told what it may not."""
    return is_answered(message, me, chosen) and is_addressed(message, me, chosen.names)


def is_addressed(message: Message, me: User, names: Sequence[str] | None = None) -> bool:
    """Tell whether a message is for the bot: in a group, one that names it or replies to it.

    ``names`` are what it is called in its chat. A reply that names another bot is not.
    """
    if is_private(message.chat) or _mentions(message, me) or _is_called(message, names or ()):
        return True
    return _replies_to(message, me) and not _calls_another_bot(message)


def read_talk(raw: Any, bot: ExtBot[None]) -> Message | None:
    """Read a raw message, which may be anything, if it is a group's own talk; None if it is not.

    It may be a question all the same, by what its chat has chosen: see `is_answered`. What cannot
    be read is no talk: somebody has to look at it.
    """
    try:
        with reading():
            if raw["chat"]["type"] == ChatType.PRIVATE or migration(raw):
                return None
            message = read_message(raw, bot)
            for_us = is_addressed(message, bot.bot) or _is_command(message)
            return None if for_us and is_from_a_person(message) else message
    except Unreadable:
        return None


def command(message: Message, me: User) -> list[str]:
    """Return the words of a command to the bot, its name first, in lower case; none for no command.

    As python-telegram-bot's `CommandHandler` splits them. A forwarded command is not one, and
    neither is one that comes by way of another bot: somebody else wrote it.
    """
    entity = message.entities[0] if message.entities and is_own_words(message) else None
    if not message.text or not entity or entity.offset or entity.type != MessageEntity.BOT_COMMAND:
        return []
    name, _, bot = message.text[1 : entity.length].lower().partition("@")
    if bot not in ("", str(me.username).lower()):
        return []
    return [name, *message.text.split()[1:]]


def question(message: Message, me: User, texts: Texts, called: Sequence[str] | None = None) -> str:
    """Return what a message asks, as Markdown, without the bot's name at its beginning or end.

    ``called`` are its own names in the chat. The message has text, a caption or rich text;
    `handlers.incoming.words` reads other kinds.
    """
    called = () if is_private(message.chat) or message.forward_origin else called or ()
    if rich := rich_message(message):
        text = Rich(rich, texts.kinds).text()
        return _without_name(text[behind_name(text, called) :], me)
    text, spans = _written(message)
    names = [span for span in spans if _is_name(text, span, me)]
    start, end = behind_name(text, called), len(text)
    for name in names:
        if not text[start : name.start].strip():
            start = name.end + len(text[name.end :]) - len(text[name.end :].lstrip(" ,:\n"))
    for name in reversed(names):
        if name.start >= start and not text[name.end : end].strip():
            end = name.start
    return marked(*part(text, spans, start, end)).strip()


def rich_message(message: Message) -> Any:
    """Return a rich message's JSON, None if it is none; python-telegram-bot does not know them."""
    return message.api_kwargs.get("rich_message")


def has_words(message: Message) -> bool:
    """Tell whether the bot can read a message as it is: a text, a rich message, a document."""
    document = message.document and not message.animation  # old apps see an animation as a document
    return bool(message.text or document or rich_message(message) is not None)


def behind_name(text: str, names: Sequence[str]) -> int:
    """Return where a text goes on that begins by calling one of these names; 0 if it does not.

    As a whole word, in any case: "Alice, …", but neither "Alice's …" nor "Malice …".
    """
    found = _calling((*names,)).match(text) if names else None
    return found.end() if found and not is_mark(text[found.end(1) :][:1] or " ") else 0


@lru_cache
def _calling(names: tuple[str, ...]) -> re.Pattern[str]:
    # The longest first, or "Alice B" would be called "Alice".
    # An accent may be a part of its letter, or a mark behind it.
    forms = {unicodedata.normalize(form, name): None for name in names for form in ("NFC", "NFD")}
    each = (r"\s+".join(map(re.escape, name.split())) for name in sorted(forms, key=len)[::-1])
    return re.compile(rf"\s*({'|'.join(each)})(?!\w|['’-]\w){_PUNCTUATION}", re.IGNORECASE)


_PUNCTUATION = rf"(?:[\s{COMMAS}:;：；؛]|[。！？؟।]|[.!?…—–-]+(?=\s|\Z))*"
"""What may stand behind a name; a dot or a dash only at the end of a word, unlike that of -5."""


def _without_name(text: str, me: User) -> str:
    name = f"@{re.escape(str(me.username))}"
    text = re.sub(rf"\A(\s*{name}(?!\w)[ ,:\n]*)+", "", text, flags=re.IGNORECASE)
    return re.sub(rf"((?<!\w){name}\s*)+\Z", "", text, flags=re.IGNORECASE).strip()


def _written(message: Message) -> tuple[str, list[Span]]:
    return written(
        {
            "text": message.text,
            "entities": [entity.to_dict() for entity in message.entities],
            "caption": message.caption,
            "caption_entities": [entity.to_dict() for entity in message.caption_entities],
        }
    )


def _is_name(text: str, span: Span, me: User) -> bool:
    """Tell whether a span of a text names the bot."""
    if span.kind == MessageEntity.TEXT_MENTION:
        return span.more == str(me.id)
    name = text[span.start : span.end].lower()
    return span.kind == MessageEntity.MENTION and name == f"@{me.username}".lower()


def _is_command(message: Message) -> bool:
    """Tell whether it begins with a command; one with a name is for the bot of that name."""
    commands = message.parse_entities([MessageEntity.BOT_COMMAND])
    return not message.forward_origin and any(
        entity.offset == 0 and "@" not in text for entity, text in commands.items()
    )


def _named(message: Message) -> set[str]:
    """Return the user names that a message mentions, in lower case, and ids of who has none."""
    if rich := rich_message(message):
        text = re.sub(r"(`+).*?\1", "", Rich(rich, {}).text(), flags=re.DOTALL)
        users = (node.get("user") for node in nodes(rich) if node.get("type") == "text_mention")
        numbers = {str(user.get("id")) for user in users if isinstance(user, dict)}
        return numbers | {name.lower() for name in _NAME.findall(text)}
    text, spans = _written(message)
    named = set()
    for span in spans:
        word = text[span.start : span.end].lower()
        if span.kind == MessageEntity.TEXT_MENTION:
            named.add(span.more)
        elif span.kind in (MessageEntity.MENTION, MessageEntity.BOT_COMMAND) and "@" in word:
            named.add(word.rpartition("@")[2])
    return named


def _mentions(message: Message, me: User) -> bool:
    return not {str(me.username).lower(), str(me.id)}.isdisjoint(_named(message))


def _is_called(message: Message, names: Sequence[str]) -> bool:
    """Tell whether it begins with a name of the bot's own; what is forwarded calls nobody."""
    if not names or message.forward_origin:
        return False
    rich = rich_message(message)
    text = Rich(rich, {}).text() if rich else _written(message)[0]
    return behind_name(text, names) > 0


def _is_open(message: Message) -> bool:
    """Tell whether a bot that answers always answers it: words for nobody else in particular."""
    entity = message.entities[0] if message.entities and not message.forward_origin else None
    is_command = entity and not entity.offset and entity.type == MessageEntity.BOT_COMMAND
    return has_words(message) and not is_command and not _calls_another_bot(message)


def _calls_another_bot(message: Message) -> bool:
    """Tell whether a message, which does not name this bot, names another (in "…bot")."""
    entities = (*message.entities, *message.caption_entities)
    return any(name.endswith("bot") for name in _named(message)) or any(
        entity.user is not None and entity.user.is_bot for entity in entities
    )


def _replies_to(message: Message, me: User) -> bool:
    replied = message.reply_to_message
    if replied is None or replied.from_user is None or replied.from_user.id != me.id:
        return False
    # In a topic that the bot opened, each plain message "replies" to the topic's first message.
    return replied.forum_topic_created is None
