"""People whom the bot does not answer: let in by a link, or refused; then owners are asked."""

from telegram import Message

from handlers.actions.naming import named
from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.incoming.access import Standing
from handlers.incoming.addressing import command, is_spoken_to, name_of, writer
from handlers.outgoing.say import retell, tell
from handlers.rendering.markup import Chunk
from handlers.texts import Texts, texts_for
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from handlers.turn.where import is_private
from storage.access import Request, ShutOut, TooManyGuesses, WrongCode


async def receive(tools: Tools, context: Context, standing: Standing) -> bool:
    """Tell somebody that they are not allowed; True if they are now, by an invitation's link."""
    words = command(context.message, context.bot.bot)
    by_link = words[:1] == ["start"] and len(words) == 2 and is_private(context.message.chat)
    by_link = by_link and not words[1].startswith("settings_")
    if by_link and standing is Standing.STRANGER:
        return await _redeem(tools, context, words[1])
    if is_spoken_to(context.message, context.bot.bot, context.turn.settings):
        await _refuse(tools, context, standing)
    return False


async def _redeem(tools: Tools, context: Context, code: str) -> bool:
    texts, person = context.texts, context.message.from_user
    try:
        name = name_of(person) if person else ""
        await context.turn.admission.redeem(writer(context.message), name, code)
    except WrongCode:
        await context.say(texts.invitation_wrong.format(id=writer(context.message)))
    except TooManyGuesses as error:
        await context.say(texts.counted(texts.invitation_wait, -(-error.seconds // 60)))
    except ShutOut:  # a moment ago
        await _refuse(tools, context, Standing.SHUT_OUT)
    else:
        return True
    return False


async def _refuse(tools: Tools, context: Context, standing: Standing) -> None:
    """Refuse once in a while in a group, always in private; ask the owners about a stranger."""
    message, turn, texts = context.message, context.turn, context.texts
    person = message.from_user
    name = name_of(person) if person else ""
    group = 0 if is_private(message.chat) else message.chat_id
    is_new = standing is Standing.STRANGER and message.sender_chat is None
    is_new = is_new and not turn.is_aside  # before it there may be an invitation
    knock = await turn.admission.knock(
        context.received.update_id,
        writer(message),
        name,
        group,
        may_ask=is_new and bool(tools.access.owners),
        welcome=(await _theirs(tools, context)).let_in,
    )
    asked = knock.asks and await _ask(tools, context, knock.request)
    if knock.speaks:
        text = texts.stranger_asked if asked else texts.stranger
        if message.sender_chat and message.sender_chat.id == message.chat_id:
            text = texts.group_stranger  # an anonymous admin has no id but the group's
        await context.say(text.format(id=writer(message)))


async def _theirs(tools: Tools, context: Context) -> Texts:
    """Return the words in which the writer is spoken to in private, wherever they wrote."""
    message = context.message
    own = (await context.turn.settings_of(writer(message))).without(tools.locked)
    return texts_for(message.from_user, own.language, default=tools.language)


async def _ask(tools: Tools, context: Context, request: Request) -> bool:
    """Ask those owners who were not asked yet; tells whether any of them was reached."""
    message, person, told = context.message, writer(context.message), dict(request.told)
    for owner in sorted(tools.access.owners - told.keys()):
        language = await tools.operation.chats.language(owner)
        texts = texts_for(None, language, default=tools.language)
        question = _question(texts, message, named(request.name, person))
        if number := await tell(message, context.turn, owner, question):
            told[owner] = number
            await context.turn.admission.told(person, owner, number)
    return bool(told)


def _question(texts: Texts, message: Message, who: str) -> Reply:
    text = texts.request.format(who=who)
    if not is_private(message.chat):
        where = named(message.chat.effective_name or "", message.chat_id)
        text = texts.request_in_group.format(who=who, where=where)
    verdicts = (("allow", texts.button_allow), ("deny", texts.button_deny))
    buttons = [Button(label, str(Press(name, writer(message)))) for name, label in verdicts]
    return Reply([Chunk(text, ())], buttons)


# -- Buttons, under the question to the owners


async def allow(_tools: Tools, context: Context) -> None:
    """Let in whom a request is about, unless it is decided already; they are told."""
    await _decide(context, allowed=True)


async def deny(_tools: Tools, context: Context) -> None:
    """Shut out whom a request is about, unless it is decided already."""
    await _decide(context, allowed=False)


async def _decide(context: Context, *, allowed: bool) -> None:
    person, owner = context.press.exchange, context.received.effective_user
    assert owner  # noqa: S101 - somebody has pressed it
    request = await context.turn.admission.decide(
        person, allowed=allowed, owner=owner.id, decider=name_of(owner), first=True
    )
    if request.allowed is None:
        await context.answer_press(context.texts.request_gone)
    else:
        await context.answer_press(decision(context.texts, person, request))
        await show(context, person, request)


def decision(texts: Texts, person: int, request: Request) -> str:
    """Say what was decided, and by whom."""
    text = texts.request_allowed if request.allowed else texts.request_denied
    who, owner = named(request.name, person), named(request.decider, request.by)
    return text.format(who=who, owner=owner)


async def show(context: Context, person: int, request: Request) -> None:
    """Show all owners what was decided, where they were asked."""
    text = decision(context.texts, person, request)
    for owner, number in sorted(request.told.items()):
        await retell(context.message, context.turn, owner, number, text)
