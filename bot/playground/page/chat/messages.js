// The messages of the open chat, and the bot's drafts under them.

import { byId, element, patch, patchList } from "../dom.js";
import { icon } from "../icons.js";
import { call } from "../api.js";
import { lookBack, oldest } from "../follow.js";
import { authorOf, serviceText, tried } from "../names.js";
import { openChat, store } from "../store.js";
import { day, words } from "../words/index.js";
import { row, draftRow } from "./bubble.js";
import { toast } from "./toast.js";
import { welcome } from "./welcome.js";

/**
 * @import { Draft, Message, State } from "../types.js"
 * @import { Row } from "./types.js"
 */

const TOGETHER = 300; // seconds within which an author's messages are shown as one block
const NEAR = 120; // pixels from the end that count as the end

const scroller = byId("messages");
const list = element("ol", "rows");
const head = element("div", "rows-head");
const toEnd = element("button", { className: "to-end", "aria-label": words.to_end, hidden: true, onclick: scrollToEnd }, icon("down"));

export function mountMessages() {
  scroller.append(head, list);
  scroller.after(toEnd);
  scroller.onscroll = noteEnd;
  new ResizeObserver(() => store.state.at_end && scrollToEnd()).observe(list);
  store.subscribe(["messages", "drafts", "untaken", "pressed", "me", "chat", "topic", "earlier", "demo", "chats"], show);
  store.subscribe(["messages", "at_end", "chat", "topic", "me"], noteRead);
  store.subscribe(["chat", "topic", "me"], () => store.set({ at_end: true }));
}

function noteEnd() {
  const at_end = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;
  store.set({ at_end });
  toEnd.hidden = at_end;
}

export function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

/** @param {State} state */
function show(state) {
  const { at_end, messages, drafts, demo } = state;
  const all = items([...messages.values()], drafts);
  patch(head, state.earlier && earlierButton(), demo && !all.length && welcome(state));
  patchList(list, all, {
    key: ({ key }) => key,
    depends: (item) => depends(item, state),
    make: (item) => make(item, state),
  });
  if (at_end) scrollToEnd();
}

/** Puts date lines between the messages, and messages of one author together. @param {Message[]} messages @param {Draft[]} drafts */
function items(messages, drafts) {
  /** @type {Row[]} */
  const made = [];
  messages.forEach((message, at) => {
    const before = messages[at - 1];
    const after = messages[at + 1];
    const date = day(message.date);
    if (!before || day(before.date) !== date) made.push({ kind: "day", key: `day ${date}`, text: date });
    const first = !before || !tried(() => together(before, message), false);
    const last = !after || !tried(() => together(message, after), false);
    made.push({ kind: "message", key: String(message.message_id), message, first, last });
  });
  for (const draft of drafts) made.push({ kind: "draft", key: `draft ${draft.draft_id}`, draft });
  return made;
}

/** @param {Message} one @param {Message} other */
function together(one, other) {
  const sameAuthor = authorOf(one).id === authorOf(other).id && !serviceText(one) && !serviceText(other);
  return sameAuthor && other.date - one.date < TOGETHER && day(one.date) === day(other.date);
}

/** @param {Row} item @param {State} state */
function depends(item, state) {
  if (item.kind === "day") return [item.text];
  if (item.kind === "draft") return [item.draft.text, item.draft.can_stop];
  const { message, first, last } = item;
  return [message, first, last, state.me, state.untaken.has(message.message_id), message.reply_markup && state.pressed];
}

/** @param {Row} item @param {State} state */
function make(item, state) {
  if (item.kind === "day") return element("li", "row service day", element("span", "pill", item.text));
  if (item.kind === "draft") return draftRow(item.draft);
  const { message, first, last } = item;
  const own = !message.sender_chat && message.from?.id === state.me;
  const taken = own ? !state.untaken.has(message.message_id) : null;
  return tried(() => row(message, { own, first, last, taken, jump }), element("li", "row service", element("span", "pill", words.not_shown)));
}

function earlierButton() {
  return element("button", { className: "pill earlier", onclick: () => void showEarlier() }, words.earlier);
}

/** Shows earlier messages above, and leaves on the screen what is there. */
async function showEarlier() {
  const fromEnd = scroller.scrollHeight - scroller.scrollTop;
  store.set({ at_end: false });
  await lookBack();
  await Promise.resolve(); // the store tells its listeners first
  scroller.scrollTop = scroller.scrollHeight - fromEnd;
}

/** Shows another message of the chat, looking back for it if need be. @param {number} number */
export async function jump(number) {
  const { chat } = store.state;
  while (oldest() > number && store.state.earlier && chat === store.state.chat) {
    store.set({ at_end: false });
    await lookBack();
    await Promise.resolve();
  }
  const found = document.getElementById(`message-${number}`);
  if (!found) return toast(words.not_shown);
  found.scrollIntoView({ block: "center" });
  found.focus({ preventScroll: true });
  found.classList.add("found");
  setTimeout(() => found.classList.remove("found"), 1500);
}

let noted = "";

/** Tells the demo how far the open chat has been read. @param {State} state */
function noteRead(state) {
  const { me, chat, topic, at_end, messages } = state;
  const last = [...messages.keys()].at(-1);
  if (!at_end || last === undefined || document.hidden || !openChat(state)) return;
  const now = [me, chat, topic, last].join();
  if (now === noted) return;
  noted = now;
  call("room/read", { user: me, chat, topic, message_id: last }).catch(() => (noted = ""));
}

document.addEventListener("visibilitychange", () => noteRead(store.state));
