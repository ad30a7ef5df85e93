// The playground's page: write as a person, see the bot answer, see what the model was sent.

import { clearSent, showSent } from "./sent.js";
import { element, formatted } from "./text.js";
import { language, showWords, words } from "./words.js";

// Every element with an id, by its id.
const page = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((found) => [found.id, found]),
);
let demo; // what demo.py tells: run, people (the first has the private chat), group, username, bot, model, about, unasked
let shown; // the chat on the screen, what is known of it, who speaks, and what is being replied to or edited
let attached = null; // the file that goes with what is written

class Refused extends Error {}

async function fetched(path, options) {
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok) throw new Refused(body.error ?? `HTTP ${response.status}`);
  return body;
}

async function follow() {
  for (;;) {
    try {
      await begin();
      for (;;) {
        await refresh();
        page.status.textContent = "";
      }
    } catch {
      page.status.textContent = words.away;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// Starts over when the demo is another one than before: its room is empty and counts from 0.
async function begin() {
  const told = await fetched("about.json");
  if (told.run === demo?.run) return;
  demo = told;
  page.about.textContent = words.about(demo);
  page.mention.textContent = `@${demo.username}`;
  open(demo.people[0].id);
}

// Waits for what is new in the chat, and shows it.
async function refresh() {
  const open = shown;
  const { chat, version, request } = open;
  let news;
  try {
    const known = new URLSearchParams({ run: demo.run, chat, version, request });
    news = await fetched(`room/news?${known}`, { signal: open.left.signal });
  } catch (error) {
    if (open === shown) throw error;
  }
  if (open !== shown) return; // another one was opened meanwhile
  if (news.run !== demo.run) return begin();
  learn(news);
  showTabs();
  showMessages();
  showFor(page.typing, news.typing ?? 0);
  page.toast.textContent = news.toast?.text ?? "";
  showFor(page.toast, news.toast?.seconds ?? 0);
  if (news.request) showSent(news.request, shown.sent);
}

function learn({ version, chats, messages = [], deleted = [], drafts, request }) {
  Object.assign(shown, { version, chats, drafts });
  for (const message of messages) shown.messages.set(message.message_id, message);
  for (const number of deleted) shown.messages.delete(number);
  if (!request) return;
  shown.request = request.number;
  shown.sent.length = request.length;
  Object.assign(shown.sent, request.new);
}

// --- the chat ---

function showTabs() {
  const own = [
    { id: demo.people[0].id, title: words.privateChat },
    { id: demo.group, title: words.group },
  ];
  const others = shown.chats.filter((chat) => own.every((known) => known.id !== chat.id));
  page.chats.replaceChildren(...own.concat(others).map(tab));
}

function tab(chat) {
  const name = chat.title ?? chat.first_name;
  const made = element("button", { type: "button", onclick: () => open(chat.id) }, name);
  made.setAttribute("role", "tab");
  made.setAttribute("aria-selected", String(chat.id === shown.chat));
  return made;
}

function open(chat) {
  shown?.left.abort();
  shown = {
    chat,
    user: chat > 0 ? chat : demo.people[0].id,
    ...{ replyTo: null, editing: null },
    ...{ version: -1, chats: [], messages: new Map(), drafts: [], request: 0, sent: [] },
    left: new AbortController(),
  };
  page.hint.hidden = chat > 0;
  clearSent(words.unasked(demo));
  showReplying();
  showSpeakers();
  page.text.focus();
}

function showMessages() {
  const list = page.messages;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  const messages = [...shown.messages.values()].sort((a, b) => a.message_id - b.message_id);
  list.replaceChildren(
    ...(messages.length ? messages.map(bubble) : [suggestions()]),
    ...shown.drafts.map(draftBubble),
  );
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function bubble(message) {
  const time = new Date(message.date * 1000);
  const own = message.from.id === shown.user;
  const kind = own ? "own" : message.from.is_bot ? "bot" : "other";
  const made = element(
    "article",
    { className: `bubble ${kind}`, title: words.reply, onclick: () => replyTo(message) },
    element("b", {}, message.from.first_name),
  );
  if (message.reply_to_message) {
    made.append(element("div", { className: "quote" }, excerpt(message.reply_to_message)));
  }
  made.append(
    element(
      "div",
      { className: "text", dir: "auto" },
      ...formatted(message.text ?? message.caption ?? "", message.entities ?? message.caption_entities),
    ),
    element(
      "time",
      { dateTime: time.toISOString() },
      `${message.edit_date ? `${words.edited} ` : ""}${time.toLocaleTimeString(language, { timeStyle: "short" })}`,
    ),
  );
  if (message.document) made.prepend(element("div", { className: "quote" }, `📎 ${message.document.file_name}`));
  if (own && message.text) made.append(act(words.edit, () => edit(message)));
  const rows = message.reply_markup?.inline_keyboard ?? [];
  for (const button of rows.flat()) {
    const told = { chat: shown.chat, user: shown.user, message_id: message.message_id, language };
    made.append(act(button.text, () => post("room/press", { ...told, data: button.callback_data })));
  }
  return element("li", {}, made);
}

function draftBubble({ draft_id, text, entities, can_stop }) {
  const made = element(
    "article",
    { className: "bubble bot draft" },
    element("div", { className: "text", dir: "auto" }, ...formatted(text || words.thinking, entities)),
  );
  if (can_stop) made.append(act(words.stop, () => post("room/stop", { chat: shown.chat, draft_id })));
  return element("li", {}, made);
}

function act(label, onclick) {
  return element(
    "button",
    {
      type: "button",
      className: "act",
      onclick: (event) => {
        event.stopPropagation(); // the bubble's own click is a reply
        onclick();
      },
    },
    label,
  );
}

function edit(message) {
  answer({ replyTo: null, editing: message });
  write(message.text);
  page.text.focus();
}

const timers = new Map();

// Shows an element for so many seconds from now.
function showFor(found, seconds) {
  found.hidden = seconds <= 0;
  clearTimeout(timers.get(found));
  timers.set(found, setTimeout(() => (found.hidden = true), seconds * 1000));
}

function excerpt({ text = "" }) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function suggestions() {
  const buttons = [words.question(demo), "/help", "/reset"].map(addressed).map((text) =>
    element("button", { type: "button", onclick: () => deliver({ text }) }, text),
  );
  return element("li", { className: "empty" }, element("p", {}, words.empty), ...buttons);
}

function addressed(text) {
  if (shown.chat > 0) return text;
  return text.startsWith("/") ? `${text}@${demo.username}` : `@${demo.username} ${text}`;
}

// --- what the person writes ---

// Sends what is written; what is refused comes back, before what was written meanwhile.
async function send(event) {
  event?.preventDefault();
  const place = shown;
  const written = page.text.value;
  const { replyTo, editing } = shown ?? {};
  const file = attached;
  if (!place || !(written.trim() || file)) return;
  write("");
  attach(null);
  answer({ replyTo: null, editing: null });
  if (await deliver({ text: written.trim(), file, replyTo, editing })) return;
  write([written, page.text.value].filter(Boolean).join("\n"));
  attach(attached ?? file);
  if (place === shown && !shown.replyTo && !shown.editing) answer({ replyTo, editing });
}

// Tells whether it arrived.
async function deliver({ text, file, replyTo, editing }) {
  const { chat, user } = shown;
  page.messages.scrollTop = page.messages.scrollHeight;
  if (file) {
    const content = await file.text().catch(() => null);
    if (content === null) return refuse(words.refused(words.unreadable));
    return post("room/document", { chat, user, name: file.name, text: content, caption: text, language });
  }
  if (editing) return post("room/edit", { chat, message_id: editing.message_id, text, language });
  return post("room/say", { chat, user, text, reply_to: replyTo?.message_id, language });
}

// Tells whether it arrived.
async function post(path, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    await fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch (error) {
    return refuse(error instanceof Refused ? words.refused(error.message) : words.away);
  }
  page.refused.textContent = "";
  return true;
}

function refuse(why) {
  page.refused.textContent = why;
  return false;
}

function attach(file) {
  attached = file;
  page.attached.hidden = !file;
  page.attached.firstElementChild.textContent = file ? `📎 ${file.name}` : "";
}

function choose() {
  const [file] = page.file.files;
  page.file.value = "";
  if (!file) return;
  attach(file);
  send();
}

function write(text) {
  page.text.value = text;
  grow();
}

function grow() {
  page.text.style.height = "auto";
  page.text.style.height = `${page.text.scrollHeight}px`;
}

function replyTo(message) {
  answer({ replyTo: message, editing: null });
  page.text.focus();
}

function answer({ replyTo, editing }) {
  Object.assign(shown, { replyTo, editing });
  showReplying();
}

function showReplying() {
  const { replyTo, editing } = shown;
  page.replying.hidden = !(replyTo ?? editing);
  const label = editing ? words.editing : words.replying;
  page.replying.firstElementChild.textContent = `${label} ${excerpt(editing ?? replyTo ?? {})}`;
}

function showSpeakers() {
  page.speakers.hidden = shown.chat > 0;
  page.speakers.replaceChildren(...demo.people.map(speaker));
}

function speaker({ id, name }) {
  const choose = () => {
    shown.user = id;
    showSpeakers();
    page.text.focus();
    showMessages();
  };
  const made = element("button", { type: "button", onclick: choose }, name);
  made.setAttribute("role", "radio");
  made.setAttribute("aria-checked", String(id === shown.user));
  return made;
}

function mentionBot() {
  page.text.value = `@${demo.username} ${page.text.value}`;
  page.text.focus();
}

showWords();
page.compose.onsubmit = send;
page.text.oninput = grow;
page.file.onchange = choose;
page.text.onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
};
page.replying.lastElementChild.onclick = () => answer({ replyTo: null, editing: null });
page.attached.lastElementChild.onclick = () => attach(null);
page.mention.onclick = mentionBot;
follow();
