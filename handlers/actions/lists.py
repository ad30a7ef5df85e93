"""Whom owners let in and shut out: by an id, by a reply, and the list of all."""

from telegram import Message, MessageOriginUser, User

from handlers.actions.naming import named
from handlers.actions.strangers import show
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.addressing import name_of
from handlers.rendering.markup import Chunk
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from handlers.turn.where import is_private

ON_A_PAGE = 20


async def allow(tools: Tools, context: Context) -> None:
    """Let in somebody, or a chat; without either, show the list."""
    await _decide(tools, context, allowed=True)


async def deny(tools: Tools, context: Context) -> None:
    """Shut out somebody, or a chat; without either, show the list."""
    await _decide(tools, context, allowed=False)


async def explain(_tools: Tools, context: Context) -> None:
    """Explain what /allow and /deny take."""
    await context.say(context.texts.allow_usage)


async def _decide(tools: Tools, context: Context, *, allowed: bool) -> None:
    texts, message = context.texts, context.message
    if meant := _meant(context):
        subject, name = meant
        (subject,) = await tools.access.successors({subject}) or {subject}
        await _decide_on(tools, context, subject, name, allowed=allowed)
    elif _replied(message):
        await context.say(texts.nobody_meant)
    elif is_private(message.chat):
        await context.reply(await _page(tools, context, 0))
    else:
        await context.say(texts.allow_usage)


async def _decide_on(
    tools: Tools, context: Context, subject: int, name: str, *, allowed: bool
) -> None:
    known = (await context.turn.admission.listed()).get(subject)
    name = name or (known.name if known else "")
    owner, texts, who = context.message.from_user, context.texts, named(name, subject)
    assert owner  # noqa: S101 - nobody has an owner's right without being somebody
    if subject in tools.access.owners:
        await context.say(texts.owner_is_allowed.format(who=who))
    elif not allowed and await tools.access.is_named(subject):
        await context.say(texts.named_in_settings.format(who=who))
    else:
        request = await context.turn.admission.decide(
            subject, allowed=allowed, owner=owner.id, decider=name_of(owner), name=name
        )
        await show(context, subject, request)
        text = texts.now_allowed if allowed else texts.now_denied
        await context.say(text.format(who=named(name or request.name, subject)))


def _meant(context: Context) -> tuple[int, str] | None:
    """Return the id and the name of whom the owner means; None if nobody knows that."""
    if context.args:
        return int(context.args[0]), ""
    replied, author = _replied(context.message), context.message.from_user
    if replied is None or replied.sender_chat or replied.from_user is None:
        return None  # whoever writes in a chat's name stays unknown
    person: User | None = replied.from_user
    if (origin := replied.forward_origin) and person == author:  # the owner's own forward
        person = origin.sender_user if isinstance(origin, MessageOriginUser) else None
    return None if person is None or person.is_bot else (person.id, name_of(person))


def _replied(message: Message) -> Message | None:
    """Return the message that is replied to; in a topic each message "replies" to its first."""
    replied = message.reply_to_message
    return None if replied is None or replied.forum_topic_created else replied


# -- The list


async def turn_page(tools: Tools, context: Context) -> None:
    """Show another page of the list, in place."""
    await context.answer_press()
    await context.turn.replaces((context.message.message_id,))
    await context.reply(await _page(tools, context, context.press.exchange))


async def _page(tools: Tools, context: Context, page: int) -> Reply:
    access, texts = tools.access, context.texts
    listed = await context.turn.admission.listed()
    lines = [
        texts.listed_in_settings.format(who=one) for one in sorted(access.users | access.chats)
    ]
    for number, one in sorted(listed.items()):
        text = texts.listed_allowed if one.allowed else texts.listed_denied
        lines.append(text.format(who=named(one.name, number)))
    shown, _, buttons = paged(lines, page, ON_A_PAGE, "listed")
    heading = texts.access_closed if access.is_closed else texts.access_open
    return Reply([Chunk("\n".join([heading, "", *(shown or [texts.listed_nobody])]), ())], buttons)


def paged(lines: list[str], page: int, size: int, name: str) -> tuple[list[str], int, list[Button]]:
    """Return a page of lines, its number, and the buttons that turn pages.

    Instead of one that is beyond the end, it is the last.
    """
    last = max(0, len(lines) - 1) // size
    page = min(page, last)
    pages = (("◂", page - 1), ("▸", page + 1))
    buttons = [Button(label, str(Press(name, to))) for label, to in pages if 0 <= to <= last]
    return lines[page * size : (page + 1) * size], page, buttons
