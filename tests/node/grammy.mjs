// A bot made with grammY: what tests/clients/test_clients.py expects of every library's bot.
import { createServer } from "node:http";
import { join } from "node:path";
import {
  Bot, GrammyError, InlineKeyboard, InlineQueryResultBuilder, InputFile, InputMediaBuilder, Keyboard,
  webhookCallback,
} from "grammy";

const { TELEGRAM_API_URL, TELEGRAM_TOKEN, FILES, FILES_URL, WEBHOOK } = process.env;
const SECRET = "secret";
const bot = new Bot(TELEGRAM_TOKEN, { client: { apiRoot: TELEGRAM_API_URL } });
const cat = () => new InputFile(join(FILES, "cat.png"));

bot.command("start", (ctx) =>
  ctx.reply(`Hello, ${ctx.from.first_name}! ${ctx.match}`, {
    reply_markup: new Keyboard().text("Menu").text("Help").resized(),
  }));

const help = (ctx) =>
  ctx.reply("<b>Commands</b>: /menu, <code>/files</code>", {
    parse_mode: "HTML",
    reply_markup: { remove_keyboard: true },
    reply_parameters: { message_id: ctx.msg.message_id },
  });
bot.command("help", help);
bot.hears("Help", help);

bot.command("commands", async (ctx) => {
  const known = await ctx.api.getMyCommands({ scope: { type: "all_private_chats" } });
  await ctx.reply(known.map((each) => `${each.command}: ${each.description}`).join(", "));
});

const counter = (count) =>
  new InlineKeyboard().text("+1", `count:${count + 1}`).text("Close", "close").row()
    .url("Site", "https://example.org/");
const menu = (ctx) => ctx.reply("Count: 0", { reply_markup: counter(0) });
bot.command("menu", menu);
bot.hears("Menu", menu);

bot.callbackQuery(/^count:(\d+)$/, async (ctx) => {
  const number = Number(ctx.match[1]);
  await ctx.editMessageText(`Count: ${number}`, { reply_markup: counter(number) });
  await ctx.answerCallbackQuery(`Now ${number}`);
});
bot.callbackQuery("close", async (ctx) => {
  await ctx.answerCallbackQuery({ text: "Closed", show_alert: true });
  await ctx.deleteMessage();
});

bot.command("document", (ctx) =>
  ctx.replyWithDocument(new InputFile(Buffer.from("one"), "one.txt"), {
    caption: "<i>one</i>",
    parse_mode: "HTML",
    reply_markup: new InlineKeyboard()
      .text("Caption", "caption").text("Swap", "swap").text("Strip", "strip"),
  }));
bot.callbackQuery("caption", async (ctx) => {
  await ctx.editMessageCaption({ caption: "1", reply_markup: ctx.msg.reply_markup });
  await ctx.answerCallbackQuery();
});
bot.callbackQuery("swap", async (ctx) => {
  const media = InputMediaBuilder.document(new InputFile(Buffer.from("two"), "two.txt"), {
    caption: "two",
  });
  await ctx.editMessageMedia(media, { reply_markup: ctx.msg.reply_markup });
  await ctx.answerCallbackQuery();
});
bot.callbackQuery("strip", async (ctx) => {
  await ctx.editMessageReplyMarkup();
  await ctx.answerCallbackQuery();
});

bot.command("photo", async (ctx) => {
  const sent = await ctx.replyWithPhoto(cat(), { caption: "by bytes" });
  await ctx.replyWithPhoto(sent.photo.at(-1).file_id, { caption: "by file_id" });
  await ctx.replyWithPhoto(`${FILES_URL}/cat.png`, { caption: "by URL" });
  await ctx.replyWithPhoto(new InputFile({ url: `${FILES_URL}/cat.png` }), { caption: "fetched" });
});
bot.command("voice", async (ctx) => {
  const sent = await ctx.replyWithVoice(new InputFile(join(FILES, "hello.ogg")), { duration: 2 });
  await ctx.replyWithVoice(sent.voice.file_id, { caption: "again" });
});
bot.command("album", async (ctx) => {
  const sent = await ctx.replyWithMediaGroup([
    InputMediaBuilder.photo(cat(), { caption: "two cats" }),
    InputMediaBuilder.photo(cat()),
  ]);
  await ctx.reply(`${sent.length} pictures`);
});

bot.on("message:document", async (ctx) => {
  const file = await ctx.getFile();
  const answer = await fetch(`${TELEGRAM_API_URL}/file/bot${TELEGRAM_TOKEN}/${file.file_path}`);
  await ctx.reply(`${ctx.msg.document.file_name}: ${await answer.text()}`, {
    reply_parameters: { message_id: ctx.msg.message_id },
  });
});

bot.command("copy", (ctx) =>
  ctx.api.copyMessage(ctx.chat.id, ctx.chat.id, ctx.msg.reply_to_message.message_id));
bot.command("forward", (ctx) =>
  ctx.api.forwardMessage(ctx.chat.id, ctx.chat.id, ctx.msg.reply_to_message.message_id));
bot.command("delete", async (ctx) => {
  const sent = [];
  for (const text of "abc") sent.push((await ctx.reply(text)).message_id);
  await ctx.api.deleteMessage(ctx.chat.id, sent[0]);
  await ctx.deleteMessages(sent.slice(1));
  await ctx.reply("deleted");
});

bot.command("react", (ctx) => ctx.react("👍"));
bot.command("pin", async (ctx) => {
  await ctx.pinChatMessage(ctx.msg.message_id);
  await ctx.reply("pinned");
});
bot.command("unpin", async (ctx) => {
  await ctx.unpinChatMessage(ctx.msg.reply_to_message.message_id);
  await ctx.reply("unpinned");
});
bot.command("poll", async (ctx) => {
  const sent = await ctx.replyWithPoll("Tea?", ["yes", "no"].map((text) => ({ text })), {
    is_anonymous: false,
  });
  const stopped = await ctx.api.stopPoll(ctx.chat.id, sent.message_id);
  await ctx.reply(`closed: ${stopped.is_closed}`);
});
bot.command("vote", (ctx) =>
  ctx.replyWithPoll("Tea?", [{ text: "yes" }, { text: "no" }], { is_anonymous: false }));
bot.on("poll_answer", (ctx) =>
  ctx.api.sendMessage(ctx.pollAnswer.user.id, `option ${ctx.pollAnswer.option_ids[0]}`));
bot.on("inline_query", (ctx) =>
  ctx.answerInlineQuery([
    InlineQueryResultBuilder.article("1", "Echo").text(`You asked: ${ctx.inlineQuery.query}`),
  ], { cache_time: 1 }));
bot.command("more", async (ctx) => {
  await ctx.replyWithDice("🎯");
  await ctx.replyWithLocation(55.75, 37.62);
  await ctx.replyWithContact("+79990000000", "Boris");
});
bot.command("who", async (ctx) => {
  const chat = await ctx.getChat();
  const number = await ctx.getChatMemberCount();
  const member = await ctx.getAuthor();
  const admins = await ctx.getChatAdministrators();
  const names = admins.map((admin) => admin.user.first_name).join(", ");
  await ctx.reply(`${chat.title}: ${number}, ${member.status}; ${names}`);
});

bot.command("error", async (ctx) => {
  try {
    await ctx.api.sendMessage(ctx.match, "hello");
  } catch (error) {
    if (!(error instanceof GrammyError)) throw error;
    const seconds = error.parameters.retry_after ?? "";
    await ctx.reply(`${error.constructor.name} ${seconds} ${error.description}`);
  }
});
bot.on("edited_message", (ctx) =>
  ctx.reply("you edited", { reply_parameters: { message_id: ctx.msg.message_id } }));

bot.catch((error) => console.error(error));

await bot.api.setMyCommands([
  { command: "start", description: "begin" },
  { command: "help", description: "explain" },
], { scope: { type: "all_private_chats" } });
if (WEBHOOK) {
  await bot.init();
  const server = createServer(webhookCallback(bot, "http", { secretToken: SECRET }));
  server.listen(0, "127.0.0.1", () =>
    bot.api.setWebhook(`http://127.0.0.1:${server.address().port}/hook`, { secret_token: SECRET }));
} else {
  await bot.start();
}
