// A bot made with telegraf: what tests/clients/test_clients.py expects of every library's bot.
import { createServer } from "node:http";
import { join } from "node:path";
import { Input, Markup, Telegraf, TelegramError } from "telegraf";
import { message } from "telegraf/filters";

const { TELEGRAM_API_URL, TELEGRAM_TOKEN, FILES, FILES_URL, WEBHOOK } = process.env;
const SECRET = "secret";
const bot = new Telegraf(TELEGRAM_TOKEN, { telegram: { apiRoot: TELEGRAM_API_URL } });
const cat = () => Input.fromLocalFile(join(FILES, "cat.png"));

bot.start((ctx) =>
  ctx.reply(`Hello, ${ctx.from.first_name}! ${ctx.payload}`,
    Markup.keyboard([["Menu", "Help"]]).resize()));

const help = (ctx) =>
  ctx.replyWithHTML("<b>Commands</b>: /menu, <code>/files</code>", {
    ...Markup.removeKeyboard(),
    reply_parameters: { message_id: ctx.message.message_id },
  });
bot.help(help);
bot.hears("Help", help);

bot.command("commands", async (ctx) => {
  const known = await ctx.telegram.getMyCommands({ scope: { type: "all_private_chats" } });
  await ctx.reply(known.map((each) => `${each.command}: ${each.description}`).join(", "));
});

const counter = (count) =>
  Markup.inlineKeyboard([
    [Markup.button.callback("+1", `count:${count + 1}`), Markup.button.callback("Close", "close")],
    [Markup.button.url("Site", "https://example.org/")],
  ]);
const menu = (ctx) => ctx.reply("Count: 0", counter(0));
bot.command("menu", menu);
bot.hears("Menu", menu);

bot.action(/^count:(\d+)$/, async (ctx) => {
  const number = Number(ctx.match[1]);
  await ctx.editMessageText(`Count: ${number}`, counter(number));
  await ctx.answerCbQuery(`Now ${number}`);
});
bot.action("close", async (ctx) => {
  await ctx.answerCbQuery("Closed", { show_alert: true });
  await ctx.deleteMessage();
});

bot.command("document", (ctx) =>
  ctx.replyWithDocument(Input.fromBuffer(Buffer.from("one"), "one.txt"), {
    caption: "<i>one</i>",
    parse_mode: "HTML",
    ...Markup.inlineKeyboard([
      Markup.button.callback("Caption", "caption"),
      Markup.button.callback("Swap", "swap"),
      Markup.button.callback("Strip", "strip"),
    ], { columns: 3 }),
  }));
bot.action("caption", async (ctx) => {
  const { reply_markup } = ctx.callbackQuery.message;
  await ctx.editMessageCaption("1", { reply_markup });
  await ctx.answerCbQuery();
});
bot.action("swap", async (ctx) => {
  const { reply_markup } = ctx.callbackQuery.message;
  const media = Input.fromBuffer(Buffer.from("two"), "two.txt");
  await ctx.editMessageMedia({ type: "document", media, caption: "two" }, { reply_markup });
  await ctx.answerCbQuery();
});
bot.action("strip", async (ctx) => {
  await ctx.editMessageReplyMarkup(undefined);
  await ctx.answerCbQuery();
});

bot.command("photo", async (ctx) => {
  const sent = await ctx.replyWithPhoto(cat(), { caption: "by bytes" });
  await ctx.replyWithPhoto(sent.photo.at(-1).file_id, { caption: "by file_id" });
  await ctx.replyWithPhoto(`${FILES_URL}/cat.png`, { caption: "by URL" });
  await ctx.replyWithPhoto(Input.fromURLStream(`${FILES_URL}/cat.png`), { caption: "fetched" });
});
bot.command("voice", async (ctx) => {
  const hello = Input.fromLocalFile(join(FILES, "hello.ogg"));
  const sent = await ctx.replyWithVoice(hello, { duration: 2 });
  await ctx.replyWithVoice(sent.voice.file_id, { caption: "again" });
});
bot.command("album", async (ctx) => {
  const sent = await ctx.replyWithMediaGroup([
    { type: "photo", media: cat(), caption: "two cats" },
    { type: "photo", media: cat() },
  ]);
  await ctx.reply(`${sent.length} pictures`);
});

bot.on(message("document"), async (ctx) => {
  const link = await ctx.telegram.getFileLink(ctx.message.document.file_id);
  const answer = await fetch(link);
  await ctx.reply(`${ctx.message.document.file_name}: ${await answer.text()}`, {
    reply_parameters: { message_id: ctx.message.message_id },
  });
});

bot.command("copy", (ctx) =>
  ctx.telegram.copyMessage(ctx.chat.id, ctx.chat.id, ctx.message.reply_to_message.message_id));
bot.command("forward", (ctx) =>
  ctx.telegram.forwardMessage(ctx.chat.id, ctx.chat.id, ctx.message.reply_to_message.message_id));
bot.command("delete", async (ctx) => {
  const sent = [];
  for (const text of "abc") sent.push((await ctx.reply(text)).message_id);
  await ctx.deleteMessage(sent[0]);
  await ctx.deleteMessages(sent.slice(1));
  await ctx.reply("deleted");
});

bot.command("react", (ctx) => ctx.react("👍"));
bot.command("pin", async (ctx) => {
  await ctx.pinChatMessage(ctx.message.message_id);
  await ctx.reply("pinned");
});
bot.command("unpin", async (ctx) => {
  await ctx.unpinChatMessage(ctx.message.reply_to_message.message_id);
  await ctx.reply("unpinned");
});
bot.command("poll", async (ctx) => {
  const sent = await ctx.replyWithPoll("Tea?", ["yes", "no"], { is_anonymous: false });
  const stopped = await ctx.stopPoll(sent.message_id);
  await ctx.reply(`closed: ${stopped.is_closed}`);
});
bot.command("vote", (ctx) => ctx.replyWithPoll("Tea?", ["yes", "no"], { is_anonymous: false }));
bot.on("poll_answer", (ctx) =>
  ctx.telegram.sendMessage(ctx.pollAnswer.user.id, `option ${ctx.pollAnswer.option_ids[0]}`));
bot.on("inline_query", (ctx) =>
  ctx.answerInlineQuery([{
    type: "article",
    id: "1",
    title: "Echo",
    input_message_content: { message_text: `You asked: ${ctx.inlineQuery.query}` },
  }], { cache_time: 1 }));
bot.command("more", async (ctx) => {
  await ctx.replyWithDice({ emoji: "🎯" });
  await ctx.replyWithLocation(55.75, 37.62);
  await ctx.replyWithContact("+79990000000", "Boris");
});
bot.command("who", async (ctx) => {
  const chat = await ctx.getChat();
  const number = await ctx.getChatMembersCount();
  const member = await ctx.getChatMember(ctx.from.id);
  const admins = await ctx.getChatAdministrators();
  const names = admins.map((admin) => admin.user.first_name).join(", ");
  await ctx.reply(`${chat.title}: ${number}, ${member.status}; ${names}`);
});

bot.command("error", async (ctx) => {
  try {
    await ctx.telegram.sendMessage(ctx.payload, "hello");
  } catch (error) {
    if (!(error instanceof TelegramError)) throw error;
    const seconds = error.parameters?.retry_after ?? "";
    await ctx.reply(`${error.constructor.name} ${seconds} ${error.description}`);
  }
});
bot.on("edited_message", (ctx) =>
  ctx.reply("you edited", { reply_parameters: { message_id: ctx.editedMessage.message_id } }));

bot.catch((error) => console.error(error));

await bot.telegram.setMyCommands([
  { command: "start", description: "begin" },
  { command: "help", description: "explain" },
], { scope: { type: "all_private_chats" } });
if (WEBHOOK) {
  const server = createServer(bot.webhookCallback("/hook", { secretToken: SECRET }));
  server.listen(0, "127.0.0.1", () =>
    bot.telegram.setWebhook(`http://127.0.0.1:${server.address().port}/hook`, {
      secret_token: SECRET,
    }));
} else {
  await bot.launch();
}
