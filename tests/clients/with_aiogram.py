"""A bot made with aiogram: what `test_clients` expects of every library's bot."""

import asyncio
import os
from pathlib import Path

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    CallbackQuery,
    FSInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InputMediaDocument,
    InputMediaPhoto,
    InputTextMessageContent,
    KeyboardButton,
    Message,
    PollAnswer,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    URLInputFile,
)
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

FILES = Path(os.environ["FILES"])
FILES_URL = os.environ["FILES_URL"]
SECRET = "secret"

router = Router()


def keyboard(*rows: list[tuple[str, str]]) -> InlineKeyboardMarkup:
    """Return inline buttons of texts and their data."""
    buttons = [[InlineKeyboardButton(text=t, callback_data=d) for t, d in row] for row in rows]
    return InlineKeyboardMarkup(inline_keyboard=buttons)


@router.message(CommandStart())
async def start(message: Message, command: CommandObject) -> None:
    rows = [[KeyboardButton(text="Menu"), KeyboardButton(text="Help")]]
    await message.answer(
        f"Hello, {message.from_user.first_name}! {command.args or ''}",  # type: ignore[union-attr]
        reply_markup=ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True),
    )


@router.message(Command("help"))
@router.message(F.text == "Help")
async def help_(message: Message) -> None:
    await message.reply(
        "<b>Commands</b>: /menu, <code>/files</code>",
        parse_mode="HTML",
        reply_markup=ReplyKeyboardRemove(),
    )


@router.message(Command("commands"))
async def commands(message: Message, bot: Bot) -> None:
    known = await bot.get_my_commands(BotCommandScopeAllPrivateChats())
    await message.answer(", ".join(f"{each.command}: {each.description}" for each in known))


def counter(count: int) -> InlineKeyboardMarkup:
    site = InlineKeyboardButton(text="Site", url="https://example.org/")
    markup = keyboard([("+1", f"count:{count + 1}"), ("Close", "close")])
    return InlineKeyboardMarkup(inline_keyboard=[*markup.inline_keyboard, [site]])


@router.message(Command("menu"))
@router.message(F.text == "Menu")
async def menu(message: Message) -> None:
    await message.answer("Count: 0", reply_markup=counter(0))


@router.callback_query(F.data.startswith("count:"))
async def count(query: CallbackQuery) -> None:
    number = int(str(query.data).partition(":")[2])
    assert isinstance(query.message, Message)
    await query.message.edit_text(f"Count: {number}", reply_markup=counter(number))
    await query.answer(f"Now {number}")


@router.callback_query(F.data == "close")
async def close(query: CallbackQuery) -> None:
    await query.answer("Closed", show_alert=True)
    assert isinstance(query.message, Message)
    await query.message.delete()


@router.message(Command("document"))
async def document(message: Message) -> None:
    await message.answer_document(
        BufferedInputFile(b"one", "one.txt"),
        caption="<i>one</i>",
        parse_mode="HTML",
        reply_markup=keyboard([("Caption", "caption"), ("Swap", "swap"), ("Strip", "strip")]),
    )


@router.callback_query(F.data == "caption")
async def caption(query: CallbackQuery) -> None:
    assert isinstance(query.message, Message)
    await query.message.edit_caption(caption="1", reply_markup=query.message.reply_markup)
    await query.answer()


@router.callback_query(F.data == "swap")
async def swap(query: CallbackQuery) -> None:
    assert isinstance(query.message, Message)
    media = InputMediaDocument(media=BufferedInputFile(b"two", "two.txt"), caption="two")
    await query.message.edit_media(media, reply_markup=query.message.reply_markup)
    await query.answer()


@router.callback_query(F.data == "strip")
async def strip(query: CallbackQuery) -> None:
    assert isinstance(query.message, Message)
    await query.message.edit_reply_markup(reply_markup=None)
    await query.answer()


@router.message(Command("photo"))
async def photo(message: Message) -> None:
    sent = await message.answer_photo(FSInputFile(FILES / "cat.png"), caption="by bytes")
    assert sent.photo
    await message.answer_photo(sent.photo[-1].file_id, caption="by file_id")
    await message.answer_photo(f"{FILES_URL}/cat.png", caption="by URL")
    await message.answer_photo(URLInputFile(f"{FILES_URL}/cat.png"), caption="fetched")


@router.message(Command("voice"))
async def voice(message: Message) -> None:
    sent = await message.answer_voice(FSInputFile(FILES / "hello.ogg"), duration=2)
    assert sent.voice
    await message.answer_voice(sent.voice.file_id, caption="again")


@router.message(Command("album"))
async def album(message: Message) -> None:
    cat = FSInputFile(FILES / "cat.png")
    media = [InputMediaPhoto(media=cat, caption="two cats"), InputMediaPhoto(media=cat)]
    sent = await message.answer_media_group(media)  # type: ignore[arg-type]  # a list is invariant
    await message.answer(f"{len(sent)} pictures")


@router.message(F.document)
async def received(message: Message, bot: Bot) -> None:
    assert message.document
    content = await bot.download(message.document)
    assert content
    await message.reply(f"{message.document.file_name}: {content.read().decode()}")


@router.message(Command("copy"), F.reply_to_message)
async def copy(message: Message) -> None:
    assert message.reply_to_message
    await message.reply_to_message.copy_to(message.chat.id)


@router.message(Command("forward"), F.reply_to_message)
async def forward(message: Message) -> None:
    assert message.reply_to_message
    await message.reply_to_message.forward(message.chat.id)


@router.message(Command("delete"))
async def delete(message: Message, bot: Bot) -> None:
    sent = [await message.answer(text) for text in "abc"]
    await sent[0].delete()
    await bot.delete_messages(message.chat.id, [each.message_id for each in sent[1:]])
    await message.answer("deleted")


@router.message(Command("react"))
async def react(message: Message) -> None:
    await message.react([ReactionTypeEmoji(emoji="👍")])


@router.message(Command("pin"))
async def pin(message: Message) -> None:
    await message.pin()
    await message.answer("pinned")


@router.message(Command("unpin"), F.reply_to_message)
async def unpin(message: Message) -> None:
    assert message.reply_to_message
    await message.reply_to_message.unpin()
    await message.answer("unpinned")


@router.message(Command("poll"))
async def poll(message: Message, bot: Bot) -> None:
    sent = await message.answer_poll("Tea?", ["yes", "no"], is_anonymous=False)
    stopped = await bot.stop_poll(message.chat.id, sent.message_id)
    await message.answer(f"closed: {stopped.is_closed}")


@router.message(Command("vote"))
async def vote(message: Message) -> None:
    await message.answer_poll("Tea?", ["yes", "no"], is_anonymous=False)


@router.poll_answer()
async def voted(answer: PollAnswer, bot: Bot) -> None:
    assert answer.user
    await bot.send_message(answer.user.id, f"option {answer.option_ids[0]}")


@router.inline_query()
async def asked(query: InlineQuery) -> None:
    content = InputTextMessageContent(message_text=f"You asked: {query.query}")
    article = InlineQueryResultArticle(id="1", title="Echo", input_message_content=content)
    await query.answer([article], cache_time=1)


@router.message(Command("more"))
async def more(message: Message) -> None:
    await message.answer_dice(emoji="🎯")
    await message.answer_location(55.75, 37.62)
    await message.answer_contact("+79990000000", "Boris")


@router.message(Command("who"))
async def who(message: Message, bot: Bot) -> None:
    chat, user = await bot.get_chat(message.chat.id), message.from_user
    assert user
    number = await bot.get_chat_member_count(chat.id)
    member = await bot.get_chat_member(chat.id, user.id)
    admins = await bot.get_chat_administrators(chat.id)
    names = ", ".join(admin.user.first_name for admin in admins)
    await message.answer(f"{chat.title}: {number}, {member.status}; {names}")


@router.message(Command("error"))
async def error(message: Message, bot: Bot, command: CommandObject) -> None:
    try:
        await bot.send_message(str(command.args), "hello")
    except TelegramAPIError as refusal:
        seconds = getattr(refusal, "retry_after", "")
        await message.answer(f"{type(refusal).__name__} {seconds} {refusal.message}")


@router.edited_message()
async def edited(message: Message) -> None:
    await message.answer(
        "you edited", reply_parameters=ReplyParameters(message_id=message.message_id)
    )


async def serve(bot: Bot, dispatcher: Dispatcher) -> None:
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(app, path="/hook")
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    await bot.set_webhook(f"http://{host}:{port}/hook", secret_token=SECRET)
    await asyncio.Event().wait()


async def main() -> None:
    server = TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])
    async with Bot(os.environ["TELEGRAM_TOKEN"], AiohttpSession(api=server)) as bot:
        dispatcher = Dispatcher()
        dispatcher.include_router(router)
        known = [
            BotCommand(command="start", description="begin"),
            BotCommand(command="help", description="explain"),
        ]
        await bot.set_my_commands(known, BotCommandScopeAllPrivateChats())
        if os.environ.get("WEBHOOK"):
            await serve(bot, dispatcher)
        else:
            await dispatcher.start_polling(bot)


asyncio.run(main())
