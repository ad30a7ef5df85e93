"""Owners reset other chats: one by its id or name, or all."""

import contextlib
import secrets

import structlog
from telegram.error import BadRequest, Forbidden, TelegramError

from handlers.actions.tools import Tools
from handlers.context import Context
from handlers.outgoing.delivery import Delivery
from handlers.outgoing.pacing import Effect, Kind, Shed
from handlers.outgoing.post import post
from handlers.rendering.markup import Chunk
from handlers.turn.press import Press
from handlers.turn.reply import Button, Reply
from storage.budget import Frozen
from storage.change import Forgotten
from storage.message import ChatKey

log = structlog.get_logger()


async def reset_other(_tools: Tools, context: Context) -> None:
    """Forget the conversation of the chat whose id is given."""
    await _reset(context, int((context.args or [])[0]))


async def reset_named(tools: Tools, context: Context) -> None:
    """Forget the conversation of the chat whose name is given."""
    name = (context.args or [])[0]
    chat = await _named(tools, context, name)
    if chat is None:
        await context.say(context.texts.no_such_chat.format(name=name))
    else:
        await _reset(context, chat)


async def _named(tools: Tools, context: Context, name: str) -> int | None:
    """Find a chat by its name: Telegram knows whose it is now, but finds no people."""
    effect = Effect(Kind.OTHER, context.turn.hold)
    with contextlib.suppress(BadRequest, Forbidden, LookupError, TypeError, ValueError):
        return int((await post(context.bot, "getChat", {"chat_id": name}, effect))["id"])
    return await tools.operation.chats.named(name.removeprefix("@"))


async def _reset(context: Context, chat_id: int) -> None:
    chat = ChatKey(chat_id)
    for_good = await context.turn.storage_is_full()
    floor = context.message.message_id if chat_id == context.message.chat_id else 0
    text = context.texts.other_chat_forgotten.format(chat=chat_id)
    await context.say(text, Forgotten(chat, floor, for_good=for_good, with_topics=True))
    log.info("reset_by_owner", chat=chat_id)


async def ask_to_reset_all(_tools: Tools, context: Context) -> None:
    """Ask whether to forget all conversations; the button says yes."""
    texts, confirmation = context.texts, secrets.randbelow(10**18)
    number = len(await context.turn.all_chats.conversations())
    await context.turn.all_chats.offer(confirmation)
    yes = Button(texts.button_reset_all, str(Press("everything", confirmation)))
    await context.reply(
        Reply([Chunk(texts.reset_all.format(number=texts.number(number)), ())], [yes])
    )


async def reset_all(_tools: Tools, context: Context) -> None:
    """Forget all conversations, in steps; whoever goes on after a death forgets the others."""
    query, turn, texts = context.received.callback_query, context.turn, context.texts
    press = Press.parse(query.data) if query else None
    if not turn.partial and not (press and await turn.all_chats.is_offered(press.exchange)):
        await context.answer_press(texts.reset_all_is_over)
        return
    await context.answer_press()
    await turn.replaces([context.message.message_id])
    if not turn.partial:
        turn.partial = str(await turn.all_chats.collect())
        await turn.note(turn.shown)
    await turn.all_chats.withdraw()
    total, delivery = int(turn.partial), Delivery(context.message, turn)
    while left := await turn.all_chats.reset_some():
        progress = texts.resetting_all.format(
            done=texts.number(total - left), total=texts.number(total)
        )
        with contextlib.suppress(Shed, Frozen, TelegramError):
            await delivery.grow([Chunk(progress, ())], [])
    await context.say(texts.all_forgotten.format(number=texts.number(total)))
    log.info("all_reset_by_owner", conversations=total)
