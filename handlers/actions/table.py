"""Every command and every button, once: who may use it, how it affects the order, what it does.

Registration, the menu, /help, rights and intake all read this table.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from handlers.actions import answers, commands
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import Right
from handlers.texts import Texts

Act = Callable[[Tools, Context], Awaitable[None]]
Words = Callable[[Texts], str]


def _not_allowed(texts: Texts) -> str:
    return texts.not_allowed


@dataclass(frozen=True, slots=True)
class Command:
    """What ``/name`` does, if the text after it matches ``arguments`` as a whole.

    ``interrupts``: it cuts short the chat's current work. ``about_the_last``: it concerns the last
    exchange, so it must not overtake a question. ``menu`` is its line in the menu and in /help.
    ``refusal`` is the answer to people without the ``right``.
    """

    name: str
    act: Act
    arguments: str = ".*"
    right: Right = Right.EVERYBODY
    refusal: Words = _not_allowed
    interrupts: bool = False
    about_the_last: bool = False
    menu: Words | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """What a button of this name does, under the last answer.

    ``once``: it leads to a new answer, so a press that waited behind another does nothing.
    """

    name: str
    act: Act
    right: Right = Right.EVERYBODY
    refusal: Words = _not_allowed
    interrupts: bool = False
    once: bool = False


async def _help(_tools: Tools, context: Context) -> None:
    """Say how to talk to the bot."""
    texts = context.texts
    rows = "\n".join(f"/{name} — {said[0].lower()}{said[1:]}" for name, said in menu(texts).items())
    await context.say(texts.help.format(commands=rows, name=context.bot.username))


COMMANDS = (
    Command("start", commands.start, menu=lambda texts: texts.command_start),
    Command("help", _help, menu=lambda texts: texts.command_help),
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
    ),
    Command("context", answers.measure, menu=lambda texts: texts.command_context),
    Command(
        "reset",
        commands.reset,
        arguments="",
        right=Right.CHANGE,
        refusal=lambda texts: texts.reset_is_for_admins,
        interrupts=True,
        menu=lambda texts: texts.command_reset,
    ),
    Command(
        "reset",
        commands.reset_other,
        arguments=r"-?[0-9]{1,19}( .*)?",
        right=Right.OWNER,
        refusal=lambda texts: texts.reset_other_is_for_owners,
    ),
    Command("reset", commands.explain_reset),
)
"""The first match counts."""

BUTTONS = {
    button.name: button
    for button in (
        Button("stop", answers.stopped, interrupts=True),
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
            right=Right.CHANGE,
            refusal=lambda texts: texts.undo_is_for_admins,
        ),
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


def menu(texts: Texts) -> dict[str, str]:
    """Return the commands shown to people, each with its line."""
    return {one.name: one.menu(texts) for one in COMMANDS if one.menu}
