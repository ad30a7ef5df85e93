// What a person does in a chat: every act goes to the demo, and what it refuses is told.

import { call, fetched, Refused, withQuery } from "../api.js";
import { more } from "../follow.js";
import { titleOf } from "../names.js";
import { become, open } from "../route.js";
import { store } from "../store.js";
import { language, words } from "../words/index.js";
import { ask, tell } from "./dialog.js";
import { write } from "./field.js";
import { toast } from "./toast.js";

/** @import { InlineButton, Message } from "../types.js" */

/** What went wrong, in a sentence for people. @param {unknown} error */
export function reason(error) {
  return error instanceof Refused ? error.message : words.away;
}

/**
 * Does something and says what went wrong; tells whether it was done.
 *
 * @param {string} path
 * @param {object} body
 */
export async function act(path, body) {
  try {
    await call(path, body);
    return true;
  } catch (error) {
    toast(words.failed(reason(error)));
    return false;
  }
}

/** Where one writes: the fields that everything said has. */
export function here() {
  const { chat, me, topic } = store.state;
  return { chat, user: me, language, ...(topic > 1 ? { topic } : {}) };
}

/** Says a short text, such as a command. @param {string} text */
export async function say(text) {
  try {
    await call("room/say", { ...here(), text });
  } catch (error) {
    toast(words.refused(reason(error)));
  }
}

/** Sends a command; in a group it names the bot. @param {string} command with its slash */
export function command(command) {
  const { chat, demo } = store.state;
  const named = chat > 0 || command.includes("@") ? command : `${command}@${demo?.username}`;
  return say(named);
}

/** @param {number} draft_id */
export function stop(draft_id) {
  return act("room/stop", { chat: store.state.chat, draft_id });
}

/** @param {Message} message */
export function remove({ chat, message_id }) {
  return act("room/delete", { chat: chat.id, user: store.state.me, message_id });
}

/** Forwards a text to a chat that is asked for. @param {Message} message */
export async function forward(message) {
  const { me } = store.state;
  const chosen = await askWhere(words.forward_where);
  if (chosen === null) return;
  if (await act("room/forward", { chat: chosen, user: me, from_chat: message.chat.id, message_id: message.message_id })) open(me, chosen);
}

/** Lets one choose a chat to write in. @param {string} title */
function askWhere(title) {
  const writable = store.state.chats.filter((chat) => chat.may_write);
  return ask(title, writable.map((chat) => ({ label: titleOf(chat), value: chat.id })));
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text); // there is none on a page from another machine over http
    toast(words.copied);
  } catch {
    toast(words.not_copied);
  }
}

/** Buttons that wait for the bot: `chat/message/row/column`. @type {Set<string>} */
const waiting = new Set();

/** Tells whether a button waits for the bot. @param {string} name */
export function waits(name) {
  return waiting.has(name);
}

/**
 * Presses a button under a message, and shows what the bot answers to that.
 *
 * @param {Message} message
 * @param {InlineButton} button
 * @param {string} name tells the buttons apart
 */
export async function press(message, button, name) {
  const url = button.url ?? (button.login_url ?? button.web_app)?.url;
  if (url) return visit(url);
  if (button.copy_text) return copy(button.copy_text.text);
  if (button.switch_inline_query_current_chat !== undefined) return begin(store.state.chat, button.switch_inline_query_current_chat);
  if (button.switch_inline_query !== undefined) return beginSomewhere(button.switch_inline_query);
  if (button.switch_inline_query_chosen_chat) return beginSomewhere(button.switch_inline_query_chosen_chat.query ?? "");
  if (button.callback_data === undefined) return toast(words.not_here);
  const { chat, me: user } = store.state;
  const { message_id } = message;
  waiting.add(name);
  store.set({ pressed: new Set(waiting) });
  try {
    const query = await call("room/press", { chat, user, message_id, data: button.callback_data, language });
    await answered(query);
  } catch (error) {
    toast(words.failed(reason(error)));
  } finally {
    waiting.delete(name);
    store.set({ pressed: new Set(waiting) });
  }
  return undefined;
}

/** Begins an inline query in a chat that is asked for. @param {string} query */
async function beginSomewhere(query) {
  const chosen = await askWhere(words.write_where);
  if (chosen !== null) begin(chosen, query);
}

/** Begins an inline query in a chat. @param {number} chat @param {string} query */
function begin(chat, query) {
  const { me, bot } = store.state;
  if (chat !== store.state.chat) open(me, chat);
  queueMicrotask(() => write(`@${bot.username} ${query}`)); // after what was written there before
}

/** Waits for what the bot answers to a press, and shows it. @param {string} query */
async function answered(query) {
  let answer, next;
  do {
    await next;
    next = more;
    answer = await fetched(withQuery("room/answer", { query }));
  } while (!answer);
  if (answer.url) visit(answer.url);
  else if (answer.text && answer.show_alert) tell(answer.text);
  else if (answer.text) toast(answer.text);
}

/** Opens an address: those of this bot and of the chats here are opened inside the page. @param {string} url */
export function visit(url) {
  const { demo, me, chats } = store.state;
  const { name, given } = deepLink(url);
  if (name && name.toLowerCase() === demo?.username.toLowerCase()) return visitBot(given);
  const chat = name && chats.find((each) => each.username?.toLowerCase() === name.toLowerCase());
  if (chat) return open(me, chat.id);
  if (/^(https?|tg|mailto|tel):/i.test(url)) window.open(url, "_blank", "noopener,noreferrer");
  return undefined;
}

/** Reads a link of Telegram's: whom it names, and what it gives. @param {string} url */
function deepLink(url) {
  const { protocol, hostname, pathname, searchParams } = new URL(url, "https://t.me/");
  if (protocol === "tg:") return { name: searchParams.get("domain") ?? "", given: searchParams };
  const isOurs = /^(t|telegram)\.me$/i.test(hostname);
  return { name: isOurs ? (pathname.split("/")[1] ?? "") : "", given: searchParams };
}

/** @param {URLSearchParams} given */
async function visitBot(given) {
  const { me, chats } = store.state;
  const payload = given.get("start");
  const group = given.get("startgroup");
  if (group === null) {
    open(me, me);
    if (payload !== null) await act("room/start", { user: me, payload });
    return;
  }
  const groups = chats.filter((chat) => chat.type === "group" || chat.type === "supergroup");
  const chosen = await ask(words.choose_group, groups.map((chat) => ({ label: chat.title ?? "", value: chat.id })));
  if (chosen === null) return;
  open(me, chosen);
  await act("room/start", { user: me, payload: group, chat: chosen });
}

/** Opens what a mention names. @param {string} name */
export function mention(name) {
  const person = store.state.people.find((each) => each.username?.toLowerCase() === name.toLowerCase());
  return person ? become(person.id) : visit(`https://t.me/${name}`);
}
