"""Every command and every button, once: who may use it, how it affects the order, what it does.

Registration, the menu, /help, rights and intake all read this table.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from telegram import Message

from handlers.actions import (
    announce,
    answers,
    commands,
    hearing,
    invitations,
    lists,
    own_words,
    owners,
    personas,
    resets,
    settings,
    strangers,
)
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import Right, sees_all
from handlers.texts import Texts
from handlers.turn.where import is_private
from storage.chat_settings import ChatSettings, When

Act = Callable[[Tools, Context], Awaitable[None]]
Words = Callable[[Texts], str]


class Menu(Enum):
    """Where Telegram shows a menu of commands: of several, that of the first place here."""

    OWNER = auto()
    """In an owner's chat with the bot."""
    PRIVATE = auto()
    """In other chats with one person."""
    ADMINS = auto()
    """To the admins of a group."""
    GROUP = auto()
    """To others in a group."""


EVERYWHERE = frozenset(Menu)
IN_GROUPS = frozenset({Menu.ADMINS, Menu.GROUP})
NOT_TO_MEMBERS = EVERYWHERE - {Menu.GROUP}
TO_OWNERS = frozenset({Menu.OWNER})


def _not_allowed(texts: Texts) -> str:
    return texts.not_allowed


def _for_owners(texts: Texts) -> str:
    return texts.for_owners


@dataclass(frozen=True, slots=True)
class Command:
    """What ``/name`` does, if the text after it matches ``arguments`` as a whole.

    ``interrupts``: it cuts short the chat's current work. ``about_the_last``: it concerns the last
    exchange, so it must not overtake a question. ``menu`` is its line in the ``menus`` and in
    /help. ``refusal`` is the answer to people without the ``right``; with it, they must use it in
    their private chat with the bot if it is ``private``. ``judges``: ``act`` itself asks who may,
    as it can be about another chat. ``always``: those who have the right are answered even where
    the bot answers nothing, so that they can change that, or be spared. ``opts_out``: it says what
    the bot is to spare people or a chat, so those may, too, whom it does not answer. ``shows``: it
    changes nothing, so it is also obeyed where a message is edited into it; Telegram also reports
    edits that nobody makes, even of commands long obeyed. ``passes``: nor does it look at the
    conversation, so in private it does not wait for an answer that is being made.
    """

    name: str
    act: Act
    arguments: str = ".*"
    right: Right = Right.EVERYBODY
    refusal: Words = _not_allowed
    interrupts: bool = False
    passes: bool = False
    about_the_last: bool = False
    judges: bool = False
    always: bool = False
    opts_out: bool = False
    private: bool = False
    shows: bool = False
    menu: Words | None = None
    menus: AbstractSet[Menu] = EVERYWHERE

    def is_heard(self, message: Message, chosen: ChatSettings) -> bool:
        """Tell whether the bot listens to it in a message's chat, by what is chosen there."""
        return self.always or not is_silent(message, chosen)


@dataclass(frozen=True, slots=True)
class Button:
    """What a button of this name does.

    ``about_the_last``: it concerns the last exchange, so under an older answer it does nothing.
    ``once``: it leads to a new answer, so a press that waited behind another does nothing.
    ``judges``: it is under another message, and ``act`` itself finds out what still applies, and
    asks who may. ``private`` as in `Command`.
    """

    name: str
    act: Act
    right: Right = Right.EVERYBODY
    refusal: Words = _not_allowed
    interrupts: bool = False
    about_the_last: bool = True
    once: bool = False
    judges: bool = False
    private: bool = False


def is_silent(message: Message, chosen: ChatSettings) -> bool:
    """Tell whether the bot answers nothing in a message's chat."""
    return chosen.when is When.NEVER and not is_private(message.chat)


def _for_admins(texts: Texts) -> str:
    return texts.settings_are_for_admins


async def _help(tools: Tools, context: Context) -> None:
    """Say how to talk to the bot, here."""
    texts, message, name = context.texts, context.message, context.bot.username
    owner = await tools.access.permits(Right.OWNER, message)
    where = (Menu.OWNER if owner else Menu.PRIVATE) if is_private(message.chat) else Menu.ADMINS
    said = menu(texts, where).items()
    rows = "\n".join(f"/{command} — {line[0].lower()}{line[1:]}" for command, line in said)
    if where is Menu.ADMINS:
        words = texts.help_in_a_group.format(
            commands=rows,
            name=name,
            sees=await _sees(context),
            settings=await settings.summary(tools, context),
        )
    else:
        words = texts.help.format(commands=rows, name=name)
    await context.say(f"{words}\n\n{texts.help_for_owners}" if where is Menu.OWNER else words)


async def _sees(context: Context) -> str:
    """Say what the bot gets to see of a group that it answers when addressed."""
    if context.turn.settings.when not in (None, When.ADDRESSED):
        return ""
    sees = await sees_all(context.bot, context.message.chat_id)
    return context.texts.sees_all if sees else context.texts.sees_addressed


ID = "(-?[1-9][0-9]{0,14})?"
"""Of a person or a chat, or nothing."""


def _of_owners(name: str, act: Act, menu: Words | None = None, **more: Any) -> Command:
    more |= {"right": Right.OWNER, "refusal": _for_owners, "menus": TO_OWNERS}
    return Command(name, act, menu=menu, **more)


def _button_of_owners(name: str, act: Act, *, private: bool = False) -> Button:
    return Button(name, act, Right.OWNER, _for_owners, about_the_last=False, private=private)


CLEAR = r"(?i:clear|сброс|сбросить)"
COMMANDS = (
    Command(
        "start",
        settings.open_,
        arguments=r"settings_-[0-9]{1,19}(_[0-9]{1,19})?",
        right=Right.ADMIN,
        refusal=_for_admins,
        judges=True,
        shows=True,
    ),
    Command("start", commands.start, shows=True, menu=lambda texts: texts.command_start),
    Command("help", _help, shows=True, passes=True, menu=lambda texts: texts.command_help),
    Command("stop", commands.stop, interrupts=True, menu=lambda texts: texts.command_stop),
    Command(
        "retry",
        answers.retry,
        right=Right.ASKER,
        refusal=lambda texts: texts.retry_is_for_the_asker,
        about_the_last=True,
        menu=lambda texts: texts.command_retry,
    ),
    Command(
        "undo",
        answers.undo,
        right=Right.CHANGE,
        refusal=lambda texts: texts.undo_is_for_admins,
        about_the_last=True,
        menu=lambda texts: texts.command_undo,
        menus=NOT_TO_MEMBERS,
    ),
    Command("context", answers.measure, shows=True, menu=lambda texts: texts.command_context),
    Command(
        "settings",
        settings.show,
        right=Right.ADMIN,
        refusal=_for_admins,
        passes=True,
        always=True,
        shows=True,
        menu=lambda texts: texts.command_settings,
    ),
    Command(
        "persona",
        personas.show,
        right=Right.ADMIN,
        refusal=_for_admins,
        passes=True,
        shows=True,
        menu=lambda texts: texts.command_persona,
    ),
    Command(
        "prompt",
        own_words.show_prompt,
        arguments="",
        right=Right.ADMIN,
        refusal=_for_admins,
        shows=True,
    ),
    Command(
        "prompt", own_words.clear_prompt, arguments=CLEAR, right=Right.ADMIN, refusal=_for_admins
    ),
    Command(
        "prompt",
        own_words.set_prompt,
        right=Right.ADMIN,
        refusal=_for_admins,
        menu=lambda texts: texts.command_prompt,
    ),
    Command(
        "name",
        own_words.show_names,
        arguments="",
        right=Right.ADMIN,
        refusal=_for_admins,
        shows=True,
    ),
    Command("name", own_words.clear_names, arguments=CLEAR, right=Right.ADMIN, refusal=_for_admins),
    Command(
        "name",
        own_words.set_names,
        right=Right.ADMIN,
        refusal=_for_admins,
        menu=lambda texts: texts.command_name,
    ),
    Command(
        "dontlisten",
        hearing.dont_listen,
        always=True,
        opts_out=True,
        menu=lambda texts: texts.command_dontlisten,
        menus=IN_GROUPS,
    ),
    Command(
        "listen",
        hearing.listen,
        always=True,
        opts_out=True,
        menu=lambda texts: texts.command_listen,
        menus=IN_GROUPS,
    ),
    Command(
        "reset",
        commands.reset,
        arguments="",
        right=Right.CHANGE,
        refusal=lambda texts: texts.reset_is_for_admins,
        interrupts=True,
        menu=lambda texts: texts.command_reset,
        menus=NOT_TO_MEMBERS,
    ),
    *(
        Command(
            "reset",
            act,
            arguments=arguments,
            right=Right.OWNER,
            refusal=lambda texts: texts.reset_other_is_for_owners,
            private=True,
        )
        for act, arguments in (
            (resets.reset_other, r"-?[0-9]{1,19}( .*)?"),
            (resets.reset_named, r"@[A-Za-z0-9_]{1,32}"),
            (resets.ask_to_reset_all, r"(?i:all|все)"),
        )
    ),
    Command("reset", commands.explain_reset, shows=True),
    Command(
        "news",
        announce.switch,
        arguments="(?i:on|off|вкл|выкл)",
        right=Right.ADMIN,
        refusal=_for_admins,
        always=True,
        opts_out=True,
        menu=lambda texts: texts.command_news,
    ),
    Command("news", announce.explain_news, shows=True),
    _of_owners("chats", owners.chats, lambda texts: texts.command_chats, private=True, passes=True),
    _of_owners(
        "status", owners.status, lambda texts: texts.command_status, private=True, passes=True
    ),
    _of_owners("dead", owners.dead, lambda texts: texts.command_dead, private=True, passes=True),
    _of_owners("allow", lists.allow, lambda texts: texts.command_allow, arguments=ID),
    _of_owners("allow", lists.explain),
    _of_owners("deny", lists.deny, lambda texts: texts.command_deny, arguments=ID),
    _of_owners("deny", lists.explain),
    _of_owners("invite", invitations.invite, lambda texts: texts.command_invite, private=True),
    _of_owners(
        "invites", invitations.show, lambda texts: texts.command_invites, private=True, passes=True
    ),
    _of_owners("say", announce.say, lambda texts: texts.command_say, private=True),
)
"""The first match counts."""

BUTTONS = {
    button.name: button
    for button in (
        Button("stop", answers.stopped, interrupts=True, about_the_last=False),
        Button(
            "again",
            answers.again,
            right=Right.ASKER,
            refusal=lambda texts: texts.retry_is_for_the_asker,
            once=True,
        ),
        Button("continue", answers.go_on, once=True),
        Button(
            "forget",
            answers.forget,
            right=Right.ASKER,
            refusal=lambda texts: texts.forget_is_for_the_asker,
        ),
        _button_of_owners("allow", strangers.allow),
        _button_of_owners("deny", strangers.deny),
        _button_of_owners("listed", lists.turn_page),
        _button_of_owners("invites", invitations.turn_page),
        _button_of_owners("revoke", invitations.revoke),
        Button("set", settings.press, right=Right.ADMIN, refusal=_for_admins, judges=True),
        Button("be", personas.become, right=Right.ADMIN, refusal=_for_admins, judges=True),
        Button("clear", own_words.clear, right=Right.ADMIN, refusal=_for_admins, judges=True),
        Button("ask", personas.begin, judges=True),
        _button_of_owners("chats", owners.turn_chats, private=True),
        _button_of_owners("dead", owners.turn_dead, private=True),
        _button_of_owners("replay", owners.replay, private=True),
        _button_of_owners("drop", owners.drop, private=True),
        _button_of_owners("everything", resets.reset_all, private=True),
        _button_of_owners("say", announce.confirm, private=True),
        _button_of_owners("unsay", announce.cancel, private=True),
    )
}


def find(name: str, arguments: Sequence[str]) -> Command | None:
    """Find the command of this name, in lower case, with these arguments."""
    behind = " ".join(arguments)
    rows = (row for row in COMMANDS if row.name == name and re.fullmatch(row.arguments, behind))
    return next(rows, None)


def read(text: str) -> Command | None:
    """Find the command in a text, to whatever bot; None if there is none."""
    found = _COMMAND.match(text)
    return find(found[1].lower(), text[found.end() :].split()) if found else None


_COMMAND = re.compile(r"/(\w+)(?:@\w+)?(?!\S)")


def menu(texts: Texts, where: Menu) -> dict[str, str]:
    """Return the commands of a menu, each with its line."""
    shown = (row for row in COMMANDS if where in row.menus)
    return {row.name: row.menu(texts) for row in shown if row.menu}
