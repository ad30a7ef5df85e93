// The playground's page: write as a person, see the bot answer, see what the model was sent.

import { clearSent, showSent } from "./sent.js";
import { element, formatted } from "./text.js";

const TYPING_SECONDS = 6; // so long do Telegram's own apps show sendChatAction
const TOAST_SECONDS = 4;
const SUGGESTIONS = ["What is the capital of France?", "/help", "/reset"];

// Every element with an id, by its id.
const page = Object.fromEntries(
  [...document.querySelectorAll("[id]")].map((found) => [found.id, found]),
);
let demo; // what demo.py tells: run, people (the first has the private chat), group, username, about, unasked
let shown; // the chat on the screen, who speaks, and the message that is being replied to
let typingTimer;
let toastTimer;

async function fetched(path, options) {
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? `HTTP ${response.status}`);
  return body;
}

async function follow() {
  for (;;) {
    try {
      await begin();
      for (let since = 0; ; ) {
        await refresh();
        page.status.textContent = "";
        since = (await fetched(`room/changes?since=${since}`)).version;
      }
    } catch (error) {
      tellGone(error);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// Starts over when the demo is another one than before: its room is empty and counts from 0.
async function begin() {
  const told = await fetched("about.json");
  if (told.run === demo?.run) return;
  demo = told;
  clearSent(demo.unasked);
  page.about.textContent = demo.about;
  page.mention.textContent = `@${demo.username}`;
  open(demo.people[0].id);
}

function tellGone(error) {
  page.status.textContent = `The demo does not answer (${error.message}). Once it runs again, so does this page.`;
}

function look() {
  refresh().catch(tellGone);
}

async function refresh() {
  const { chat } = shown;
  const [chats, messages, drafts, log] = await Promise.all(
    ["room/chats", `room/messages?chat=${chat}`, `room/drafts?chat=${chat}`, "room/log"].map((path) =>
      fetched(path),
    ),
  );
  if (chat !== shown.chat) return; // another one was opened meanwhile
  showTabs(chats);
  showTyping(log.calls);
  showToast(log.calls);
  showMessages(messages, drafts);
  showSent(log.completions);
}

// --- the chat ---

function showTabs(chats) {
  const own = [
    { id: demo.people[0].id, title: "Private chat" },
    { id: demo.group, title: "Group" },
  ];
  const others = chats.filter((chat) => own.every((known) => known.id !== chat.id));
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
  shown = { chat, user: chat > 0 ? chat : demo.people[0].id, replyTo: null, editing: null };
  page.hint.hidden = chat > 0;
  showReplying();
  showSpeakers();
  page.text.focus();
  look();
}

function showMessages(messages, drafts) {
  const list = page.messages;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
  list.replaceChildren(
    ...(messages.length ? messages.map(bubble) : [suggestions()]),
    ...drafts.map(draftBubble),
  );
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function bubble(message) {
  const time = new Date(message.date * 1000);
  const own = message.from.id === shown.user;
  const kind = own ? "own" : message.from.is_bot ? "bot" : "other";
  const made = element(
    "article",
    { className: `bubble ${kind}`, title: "Click to reply", onclick: () => replyTo(message) },
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
      `${message.edit_date ? "edited " : ""}${time.toLocaleTimeString([], { timeStyle: "short" })}`,
    ),
  );
  if (message.document) made.prepend(element("div", { className: "quote" }, `📎 ${message.document.file_name}`));
  if (own && message.text) made.append(act("Edit", () => edit(message)));
  const rows = message.reply_markup?.inline_keyboard ?? [];
  for (const button of rows.flat()) {
    const told = { chat: shown.chat, user: shown.user, message_id: message.message_id };
    made.append(act(button.text, () => post("room/press", { ...told, data: button.callback_data })));
  }
  return element("li", {}, made);
}

function draftBubble({ draft_id, text, entities, can_stop }) {
  const made = element(
    "article",
    { className: "bubble bot draft" },
    element("div", { className: "text", dir: "auto" }, ...formatted(text || "Thinking…", entities)),
  );
  if (can_stop) made.append(act("■ Stop", () => post("room/stop", { chat: shown.chat, draft_id })));
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
  shown.editing = message;
  write(message.text);
  page.text.focus();
}

function showToast(calls) {
  const { time, parameters } = calls.findLast(({ method }) => method === "answerCallbackQuery") ?? {};
  const fresh = parameters?.text && Date.now() / 1000 - time < TOAST_SECONDS;
  page.toast.textContent = fresh ? parameters.text : "";
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (page.toast.textContent = ""), 1000 * TOAST_SECONDS);
}

function excerpt({ text = "" }) {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

function suggestions() {
  const buttons = SUGGESTIONS.map(addressed).map((text) =>
    element("button", { type: "button", onclick: () => say(text) }, text),
  );
  return element("li", { className: "empty" }, element("p", {}, "Nobody has written here yet. Try:"), ...buttons);
}

function addressed(text) {
  if (shown.chat > 0) return text;
  return text.startsWith("/") ? `${text}@${demo.username}` : `@${demo.username} ${text}`;
}

function showTyping(calls) {
  const last = calls.findLast(
    ({ method, parameters }) =>
      ["sendChatAction", "sendMessage"].includes(method) && Number(parameters.chat_id) === shown.chat,
  );
  const typing = last?.method === "sendChatAction" && last.parameters.action === "typing";
  const left = typing ? last.time + TYPING_SECONDS - Date.now() / 1000 : 0;
  page.typing.hidden = left <= 0;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (page.typing.hidden = true), left * 1000);
}

// --- what the person writes ---

function say(text) {
  const { chat, user, editing } = shown;
  if (editing) {
    shown.editing = null;
    return post("room/edit", { chat, message_id: editing.message_id, text });
  }
  const words = { chat, user, text };
  if (shown.replyTo) words.reply_to = shown.replyTo.message_id;
  replyTo(null);
  page.messages.scrollTop = page.messages.scrollHeight;
  return post("room/say", words);
}

// Tells whether it arrived.
async function post(path, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    await fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
    return true;
  } catch (error) {
    page.status.textContent = `Not sent: ${error.message}`;
    return false;
  }
}

async function attach() {
  const [file] = page.file.files;
  if (!file || !shown) return;
  const caption = page.text.value.trim();
  const sent = { chat: shown.chat, user: shown.user, name: file.name, text: await file.text(), caption };
  page.file.value = "";
  write("");
  if (!(await post("room/document", sent)) && !page.text.value) write(caption);
}

async function send(event) {
  event.preventDefault();
  const text = page.text.value.trim();
  if (!text || !shown) return;
  write("");
  if (!(await say(text)) && !page.text.value) write(text);
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
  shown.replyTo = message;
  showReplying();
  if (message) page.text.focus();
}

function showReplying() {
  page.replying.hidden = !shown.replyTo;
  if (shown.replyTo) page.replying.firstElementChild.textContent = `Reply to: ${excerpt(shown.replyTo)}`;
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
    look();
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

page.compose.onsubmit = send;
page.text.oninput = grow;
page.file.onchange = attach;
page.text.onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
};
page.replying.lastElementChild.onclick = () => replyTo(null);
page.mention.onclick = mentionBot;
follow();
