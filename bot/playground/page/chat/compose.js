// What one writes: a text, files, what it replies to or edits. Each chat has its own.

import { call } from "../api.js";
import { byId, element, patch } from "../dom.js";
import { icon } from "../icons.js";
import { authorOf, excerpt } from "../names.js";
import { openChat, store } from "../store.js";
import { size, words } from "../words/index.js";
import { here, reason } from "./actions.js";
import { grow, write } from "./field.js";
import { mountSuggestions } from "./suggestions.js";
import { forgetMessages, placeOf, recall, remember, texts } from "./drafts.js";
import { scrollToEnd } from "./messages.js";
import { showMenu } from "./menu.js";
import { kindOf, upload } from "./upload.js";

/**
 * @import { State } from "../types.js"
 * @import { Attached, Written } from "./types.js"
 */

const LONGEST = 4096; // code points of one message; a longer text is sent in parts, as Telegram's apps do

const field = /** @type {HTMLTextAreaElement} */ (byId("text"));
const picker = /** @type {HTMLInputElement} */ (byId("file"));
let place = "";
/** @type {string | undefined} */
let run;
/** @type {Attached[]} */
let files = [];
/** As what the files that are being chosen are sent; "" is as they look. */
let kind = "";

export function mountCompose() {
  byId("attach").append(icon("attach"));
  byId("attach").onclick = chooseKind;
  byId("send").append(icon("send"));
  byId("compose").onsubmit = (event) => {
    event.preventDefault();
    void send();
  };
  field.oninput = grow;
  field.onkeydown = pressed;
  picker.onchange = () => {
    attach([...(picker.files ?? [])], kind);
    kind = "";
    picker.value = "";
  };
  mountSuggestions(field);
  acceptDropped();
  store.subscribe(["me", "chat", "topic", "demo"], moved);
  store.subscribe(["replying", "editing"], about);
  store.subscribe(["chats", "chat"], allow);
  addEventListener("pagehide", () => remember(place, written()));
}

/** Puts away what is written, and takes out what was written in the chat that is open now. @param {State} state */
function moved(state) {
  const now = placeOf(state);
  if (run && run !== state.demo?.run) forgetMessages();
  run = state.demo?.run;
  if (now === place) return;
  if (place) remember(place, written());
  place = now;
  if (!state.demo) return;
  field.disabled = false;
  store.set({ written: texts() });
  refuse("");
  restore(recall(place));
  if (matchMedia("(hover: hover)").matches) field.focus({ preventScroll: true });
}

/** @returns {Written} */
function written() {
  return { text: field.value, files, replying: shown.replying, editing: shown.editing };
}

/** @param {Written} given */
function restore({ text, replying, editing, files: given }) {
  files = given;
  shown = { replying, editing };
  write(text);
  store.set({ replying, editing });
  showAttached();
  showAbout();
}

/** What the bar over the text shows: it changes after the text, so a draft is put away whole. @type {{ replying: Written["replying"], editing: Written["editing"] }} */
let shown = { replying: null, editing: null };

/** @param {State} state */
function about({ replying, editing }) {
  if (placeOf(store.state) !== place) return; // the next chat's
  const before = shown;
  shown = { replying, editing };
  if (editing && editing !== before.editing) write(editing.text ?? "");
  if (!editing && before.editing && before.editing.text === field.value) write("");
  showAbout();
  if ((editing && editing !== before.editing) || (replying && replying !== before.replying)) field.focus();
}

function showAbout() {
  const { replying, editing } = shown;
  const message = editing ?? replying;
  const bar = byId("about-bar");
  bar.hidden = !message;
  if (!message) return patch(bar);
  const label = editing ? words.editing : words.replying(authorOf(message).name);
  patch(
    bar,
    icon(editing ? "edit" : "reply"),
    element("span", "about-text", element("b", { dir: "auto" }, label), element("span", { dir: "auto" }, excerpt(message))),
    element("button", { className: "icon-button", "aria-label": words.cancel, title: words.cancel, onclick: cancel }, icon("close")),
  );
}

/** Gives up a reply or an edit; tells whether there was one. */
export function cancel() {
  const { editing, replying } = store.state;
  if (!editing && !replying) return false;
  if (editing) write("");
  store.set({ editing: null, replying: null });
  field.focus();
  return true;
}

/** Asks as what files are to be sent, then for the files. */
function chooseKind() {
  const { left, top } = byId("attach").getBoundingClientRect();
  const kinds = [
    { icon: "picture", label: words.as_media, act: () => pick("", "image/*,video/*,audio/*") },
    { icon: "file", label: words.kinds.document ?? "", act: () => pick("document", "") },
    { icon: "voice", label: words.kinds.voice ?? "", act: () => pick("voice", "audio/*") },
  ];
  showMenu(words.attach, kinds, { x: left - 120, y: top - 132 });
}

/** @param {string} as @param {string} accept */
function pick(as, accept) {
  kind = as;
  picker.accept = accept;
  picker.click();
}

/** @param {File[]} chosen @param {string} [as] */
function attach(chosen, as = "") {
  files = [...files, ...chosen.map((file) => ({ file, kind: as || kindOf(file) }))];
  showAttached();
  field.focus();
}

function showAttached() {
  const bar = byId("attached");
  bar.hidden = !files.length;
  patch(bar, ...files.map(({ file, kind: as }) => element(
    "span",
    "attached",
    icon({ photo: "picture", video: "picture", animation: "picture", voice: "voice", audio: "voice" }[as] ?? "file"),
    element("span", { className: "file-name", dir: "auto" }, file.name),
    element("span", "file-size", size(file.size)),
    element("button", { className: "icon-button small", "aria-label": words.detach, title: words.detach, onclick: () => detach(file) }, icon("close")),
  )));
}

/** @param {File} file */
function detach(file) {
  files = files.filter((each) => each.file !== file);
  showAttached();
  field.focus();
}

/** Sends what is written; what is refused comes back, before what was written meanwhile. */
export async function send() {
  const from = place;
  const now = written();
  if (!now.text.trim() && !now.files.length) return;
  restore({ text: "", files: [], replying: null, editing: null });
  refuse("");
  store.set({ at_end: true });
  const left = await deliver(now);
  if (!left) return scrollToEnd();
  const later = place === from ? written() : recall(from);
  const back = {
    text: [left.text, later.text].filter(Boolean).join("\n"),
    files: [...left.files, ...later.files],
    replying: later.replying ?? left.replying,
    editing: later.editing ?? left.editing,
  };
  if (place === from) restore(back);
  else remember(from, back);
  store.set({ written: texts() });
}

/** Returns what was not sent, if there is something. @param {Written} now @returns {Promise<Written | null>} */
async function deliver({ text, files: given, replying, editing }) {
  const where = here();
  const reply_to = replying?.message_id;
  let rest = text.trim();
  const unsent = [...given];
  try {
    if (editing) {
      await call("room/edit", { ...where, topic: undefined, message_id: editing.message_id, text: rest });
      rest = "";
      editing = null;
    }
    for (const file of given) {
      await upload(file, { ...where, caption: rest, reply_to });
      unsent.shift();
      rest = "";
    }
    while (rest) {
      const part = firstPart(rest);
      await call("room/say", { ...where, text: part, reply_to });
      rest = rest.slice(part.length).trimStart();
    }
    return null;
  } catch (error) {
    refuse(words.refused(reason(error)));
    return { text: rest, files: unsent, replying, editing };
  }
}

/** As much of a text as goes into one message; cut at a line or a word if there is one near. @param {string} text */
function firstPart(text) {
  const points = [...text.slice(0, 2 * LONGEST)];
  if (text.length <= LONGEST || points.length <= LONGEST && text.length <= 2 * LONGEST) return text;
  const most = points.slice(0, LONGEST).join("");
  const end = Math.max(most.lastIndexOf("\n"), most.lastIndexOf(" "));
  return end > most.length / 2 ? most.slice(0, end) : most;
}

/** Says why something was not sent; "" says nothing. @param {string} why */
function refuse(why) {
  byId("refused").textContent = why;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    void send();
  } else if (event.key === "ArrowUp" && !field.value && editLast()) {
    event.preventDefault();
  }
}

/** Edits one's last message; tells whether there is one. */
function editLast() {
  const { messages, me } = store.state;
  const last = [...messages.values()].reverse().find((message) => message.from?.id === me && !message.sender_chat && message.text);
  if (last) store.set({ editing: last, replying: null });
  return Boolean(last);
}

/** Hides what one writes with where one may not. @param {State} state */
function allow(state) {
  const may = openChat(state)?.may_write ?? true;
  byId("compose").hidden = !may;
  byId("no-writing").hidden = may;
  byId("no-writing").textContent = words.no_writing;
}

/** Takes files that are dropped on the chat or pasted. */
function acceptDropped() {
  const chat = byId("chat");
  chat.ondragover = (event) => event.preventDefault();
  chat.ondrop = (event) => {
    event.preventDefault();
    attach([...(event.dataTransfer?.files ?? [])]);
  };
  field.onpaste = (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length) return;
    event.preventDefault();
    attach(pasted);
  };
}
