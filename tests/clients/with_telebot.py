"""A bot made with pyTelegramBotAPI: what `test_clients` expects of every library's bot."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from telebot import TeleBot, apihelper
from telebot.apihelper import ApiTelegramException
from telebot.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQuery,
    InlineQueryResultArticle,
    InputFile,
    InputMediaDocument,
    InputMediaPhoto,
    InputTextMessageContent,
    Message,
    PollAnswer,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)

API = os.environ["TELEGRAM_API_URL"]
FILES = Path(os.environ["FILES"])
FILES_URL = os.environ["FILES_URL"]
SECRET = "secret"

apihelper.API_URL = API + "/bot{0}/{1}"
apihelper.FILE_URL = API + "/file/bot{0}/{1}"
bot = TeleBot(os.environ["TELEGRAM_TOKEN"])


def arguments(message: Message) -> str:
    return message.text.partition(" ")[2]


@bot.message_handler(commands=["start"])
def start(message: Message) -> None:
    markup = ReplyKeyboardMarkup(resize_keyboard=True)
    markup.row("Menu", "Help")
    text = f"Hello, {message.from_user.first_name}! {arguments(message)}"
    bot.send_message(message.chat.id, text, reply_markup=markup)


@bot.message_handler(commands=["help"])
@bot.message_handler(func=lambda message: message.text == "Help")
def help_(message: Message) -> None:
    text = "<b>Commands</b>: /menu, <code>/files</code>"
    bot.reply_to(message, text, parse_mode="HTML", reply_markup=ReplyKeyboardRemove())


@bot.message_handler(commands=["commands"])
def commands(message: Message) -> None:
    known = bot.get_my_commands(BotCommandScopeAllPrivateChats())
    text = ", ".join(f"{each.command}: {each.description}" for each in known)
    bot.send_message(message.chat.id, text)


def counter(count: int) -> InlineKeyboardMarkup:
    markup = InlineKeyboardMarkup()
    markup.row(
        InlineKeyboardButton("+1", callback_data=f"count:{count + 1}"),
        InlineKeyboardButton("Close", callback_data="close"),
    )
    markup.row(InlineKeyboardButton("Site", url="https://example.org/"))
    return markup


@bot.message_handler(func=lambda message: message.text in ("/menu", "Menu"))
def menu(message: Message) -> None:
    bot.send_message(message.chat.id, "Count: 0", reply_markup=counter(0))


@bot.callback_query_handler(func=lambda query: query.data.startswith("count:"))
def count(query: CallbackQuery) -> None:
    number = int(query.data.partition(":")[2])
    place = query.message.chat.id, query.message.message_id
    bot.edit_message_text(f"Count: {number}", *place, reply_markup=counter(number))
    bot.answer_callback_query(query.id, f"Now {number}")


@bot.callback_query_handler(func=lambda query: query.data == "close")
def close(query: CallbackQuery) -> None:
    bot.answer_callback_query(query.id, "Closed", show_alert=True)
    bot.delete_message(query.message.chat.id, query.message.message_id)


@bot.message_handler(commands=["document"])
def document(message: Message) -> None:
    markup = InlineKeyboardMarkup()
    names = ("Caption", "Swap", "Strip")
    markup.row(*(InlineKeyboardButton(name, callback_data=name.lower()) for name in names))
    bot.send_document(
        message.chat.id,
        b"one",
        caption="<i>one</i>",
        parse_mode="HTML",
        visible_file_name="one.txt",
        reply_markup=markup,
    )


@bot.callback_query_handler(func=lambda query: query.data == "caption")
def caption(query: CallbackQuery) -> None:
    shown = query.message
    bot.edit_message_caption("1", shown.chat.id, shown.message_id, reply_markup=shown.reply_markup)
    bot.answer_callback_query(query.id)


@bot.callback_query_handler(func=lambda query: query.data == "swap")
def swap(query: CallbackQuery) -> None:
    shown = query.message
    media = InputMediaDocument(InputFile(FILES / "two.txt"), caption="two")
    bot.edit_message_media(media, shown.chat.id, shown.message_id, reply_markup=shown.reply_markup)
    bot.answer_callback_query(query.id)


@bot.callback_query_handler(func=lambda query: query.data == "strip")
def strip(query: CallbackQuery) -> None:
    bot.edit_message_reply_markup(query.message.chat.id, query.message.message_id)
    bot.answer_callback_query(query.id)


@bot.message_handler(commands=["photo"])
def photo(message: Message) -> None:
    chat, cat = message.chat.id, FILES / "cat.png"
    sent = bot.send_photo(chat, cat.read_bytes(), caption="by bytes")
    bot.send_photo(chat, sent.photo[-1].file_id, caption="by file_id")
    bot.send_photo(chat, f"{FILES_URL}/cat.png", caption="by URL")
    bot.send_photo(chat, InputFile(cat), caption="fetched")


@bot.message_handler(commands=["voice"])
def voice(message: Message) -> None:
    chat = message.chat.id
    sent = bot.send_voice(chat, (FILES / "hello.ogg").read_bytes(), duration=2)
    bot.send_voice(chat, sent.voice.file_id, caption="again")


@bot.message_handler(commands=["album"])
def album(message: Message) -> None:
    cat = FILES / "cat.png"
    media = [InputMediaPhoto(InputFile(cat), caption="two cats"), InputMediaPhoto(InputFile(cat))]
    sent = bot.send_media_group(message.chat.id, media)
    bot.send_message(message.chat.id, f"{len(sent)} pictures")


@bot.message_handler(content_types=["document"])
def received(message: Message) -> None:
    file = bot.get_file(message.document.file_id)
    content = bot.download_file(file.file_path)
    bot.reply_to(message, f"{message.document.file_name}: {content.decode()}")


@bot.message_handler(commands=["copy"])
def copy(message: Message) -> None:
    bot.copy_message(message.chat.id, message.chat.id, message.reply_to_message.message_id)


@bot.message_handler(commands=["forward"])
def forward(message: Message) -> None:
    bot.forward_message(message.chat.id, message.chat.id, message.reply_to_message.message_id)


@bot.message_handler(commands=["delete"])
def delete(message: Message) -> None:
    chat = message.chat.id
    one, *others = [bot.send_message(chat, text).message_id for text in "abc"]
    bot.delete_message(chat, one)
    bot.delete_messages(chat, others)
    bot.send_message(chat, "deleted")


@bot.message_handler(commands=["react"])
def react(message: Message) -> None:
    bot.set_message_reaction(message.chat.id, message.message_id, [ReactionTypeEmoji("👍")])


@bot.message_handler(commands=["pin"])
def pin(message: Message) -> None:
    bot.pin_chat_message(message.chat.id, message.message_id)
    bot.send_message(message.chat.id, "pinned")


@bot.message_handler(commands=["unpin"])
def unpin(message: Message) -> None:
    bot.unpin_chat_message(message.chat.id, message.reply_to_message.message_id)
    bot.send_message(message.chat.id, "unpinned")


@bot.message_handler(commands=["poll"])
def poll(message: Message) -> None:
    sent = bot.send_poll(message.chat.id, "Tea?", ["yes", "no"], is_anonymous=False)
    stopped = bot.stop_poll(message.chat.id, sent.message_id)
    bot.send_message(message.chat.id, f"closed: {stopped.is_closed}")


@bot.message_handler(commands=["vote"])
def vote(message: Message) -> None:
    bot.send_poll(message.chat.id, "Tea?", ["yes", "no"], is_anonymous=False)


@bot.poll_answer_handler()
def voted(answer: PollAnswer) -> None:
    bot.send_message(answer.user.id, f"option {answer.option_ids[0]}")


@bot.inline_handler(func=lambda _query: True)
def asked(query: InlineQuery) -> None:
    content = InputTextMessageContent(f"You asked: {query.query}")
    bot.answer_inline_query(query.id, [InlineQueryResultArticle("1", "Echo", content)], 1)


@bot.message_handler(commands=["more"])
def more(message: Message) -> None:
    bot.send_dice(message.chat.id, "🎯")
    bot.send_location(message.chat.id, 55.75, 37.62)
    bot.send_contact(message.chat.id, "+79990000000", "Boris")


@bot.message_handler(commands=["who"])
def who(message: Message) -> None:
    chat = bot.get_chat(message.chat.id)
    number = bot.get_chat_member_count(chat.id)
    member = bot.get_chat_member(chat.id, message.from_user.id)
    names = ", ".join(admin.user.first_name for admin in bot.get_chat_administrators(chat.id))
    bot.send_message(chat.id, f"{chat.title}: {number}, {member.status}; {names}")


@bot.message_handler(commands=["error"])
def error(message: Message) -> None:
    try:
        bot.send_message(arguments(message), "hello")
    except ApiTelegramException as refusal:
        seconds = refusal.result_json.get("parameters", {}).get("retry_after", "")
        text = f"{type(refusal).__name__} {seconds} {refusal.description}"
        bot.send_message(message.chat.id, text)


@bot.edited_message_handler(func=lambda _message: True)
def edited(message: Message) -> None:
    bot.send_message(
        message.chat.id, "you edited", reply_parameters=ReplyParameters(message.message_id)
    )


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Take an update, if it is from whom we have told the secret."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        trusted = self.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
        self.send_response(200 if trusted else 403)
        self.end_headers()
        if trusted:
            bot.process_new_updates([Update.de_json(content.decode())])


known = [BotCommand("start", "begin"), BotCommand("help", "explain")]
bot.set_my_commands(known, BotCommandScopeAllPrivateChats())
if os.environ.get("WEBHOOK"):
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        bot.set_webhook(f"http://127.0.0.1:{server.server_port}/hook", secret_token=SECRET)
        server.serve_forever()
else:
    bot.remove_webhook()
    bot.infinity_polling()
