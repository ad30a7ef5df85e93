// One message: a bubble with its author, what it replies to, its content, time, ticks and buttons.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { authorOf, avatar, colour, excerpt, nameOfOrigin, serviceText } from "../names.js";
import { store } from "../store.js";
import { clock, words } from "../words/index.js";
import { command, copy, mention, press, stop, visit, waits } from "./actions.js";
import { formatted } from "./entities.js";
import { media } from "./media.js";
import { openMenu } from "./menu.js";

/**
 * @import { Draft, InlineButton, Message } from "../types.js"
 * @import { Look } from "./types.js"
 */

/** @param {Message} message @param {Look} look */
export function row(message, look) {
  const service = serviceText(message);
  if (service) return element("li", "row service", element("span", { className: "pill", dir: "auto" }, service));
  const author = authorOf(message);
  const made = element(
    "li",
    { className: classes({ row: true, own: look.own, first: look.first, last: look.last }), id: `message-${message.message_id}`, tabIndex: -1 },
    !look.own && element("span", "beside", look.last && avatar(author)),
    bubble(message, look, author),
  );
  made.oncontextmenu = (event) => {
    if (/** @type {Element} */ (event.target).closest("a, audio, video, img") || !getSelection()?.isCollapsed) return;
    event.preventDefault();
    openMenu(message, { x: event.clientX, y: event.clientY });
  };
  made.ondblclick = (event) => {
    if (!/** @type {Element} */ (event.target).closest("button, a, pre, .text")) store.set({ replying: message, editing: null });
  };
  made.onkeydown = (event) => {
    const { currentTarget } = event;
    if (event.target !== currentTarget || event.key !== "Enter") return;
    event.preventDefault();
    const { left, bottom } = /** @type {Element} */ (currentTarget).lastElementChild?.getBoundingClientRect() ?? { left: 0, bottom: 0 };
    openMenu(message, { x: left + 12, y: bottom - 8 });
  };
  return made;
}

/** @param {Record<string, boolean>} named */
function classes(named) {
  return Object.keys(named).filter((name) => named[name]).join(" ");
}

/** @param {Message} message @param {Look} look @param {{ id: number, name: string, bot: boolean }} author */
function bubble(message, look, author) {
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities;
  const content = media(message);
  const words_ = text && element("div", { className: "text", dir: "auto", dataset: { key: "text", foot: footText(message, look) } }, ...formatted(text, entities, context(message)));
  const parts = message.show_caption_above_media ? [words_, content] : [content, words_];
  return element(
    "article",
    { className: classes({ bubble: true, bot: author.bot, bare: Boolean(message.sticker ?? message.dice) && !text }) },
    look.first && !look.own && heading(message, author),
    message.forward_origin && element("p", { className: "forwarded", dir: "auto" }, words.forwarded(nameOfOrigin(message.forward_origin))),
    quotation(message, look),
    ...parts,
    foot(message, look),
    keyboard(message),
    more(message),
  );
}

/** @param {Message} message @param {{ id: number, name: string, bot: boolean }} author */
function heading(message, author) {
  const via = message.via_bot ? ` ${words.via} @${message.via_bot.username}` : "";
  return element(
    "header",
    `author tint-${colour(author.id)}`,
    element("span", { dir: "auto", className: "author-name" }, author.name, via),
    author.bot && element("span", "badge", words.bot),
    message.author_signature && element("span", { className: "badge", dir: "auto" }, message.author_signature),
  );
}

/** @param {Message} message */
function context(message) {
  return { id: `${message.chat.id}/${message.message_id}`, command, mention, visit, copy };
}

/** What a message replies to; a click leads there. @param {Message} message @param {Look} look */
function quotation(message, look) {
  const replied = message.reply_to_message;
  if (!replied || replied.forum_topic_created) return null;
  const author = authorOf(replied);
  return element(
    "button",
    { className: `quotation tint-${colour(author.id)}`, onclick: () => look.jump(replied.message_id), dataset: { key: "quotation" } },
    element("b", { dir: "auto" }, author.name),
    element("span", { dir: "auto" }, message.quote?.text ?? excerpt(replied)),
  );
}

/** What the foot of a message takes up. @param {Message} message @param {Look} look */
function footText(message, look) {
  return [isEdited(message) && words.edited, clock(message.date), look.taken !== null && "\u2003\u2002"].filter(Boolean).join(" ");
}

/** Tells whether an edit is shown: a bot changes messages with buttons all the time. @param {Message} message */
function isEdited(message) {
  return Boolean(message.edit_date) && !(message.from?.is_bot && message.reply_markup);
}

/** @param {Message} message @param {Look} look */
function foot(message, look) {
  const time = new Date(message.date * 1000);
  return element(
    "footer",
    { className: "foot", dataset: { key: "foot" } },
    isEdited(message) && element("span", {}, words.edited),
    element("time", { dateTime: time.toISOString(), title: time.toLocaleString() }, clock(message.date)),
    look.taken !== null && ticks(look.taken),
  );
}

/** @param {boolean} taken */
function ticks(taken) {
  const said = taken ? words.taken : words.sent;
  return element("span", { className: "ticks", role: "img", "aria-label": said, title: said }, icon(taken ? "checks" : "check"));
}

/** @param {Message} message */
function keyboard(message) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (!rows.length) return null;
  return element(
    "div",
    { className: "keyboard", dataset: { key: "keyboard" } },
    ...rows.map((buttons, row) =>
      element("div", "keyboard-row", ...buttons.map((button, at) => key(message, button, `${message.chat.id}/${message.message_id}/${row}/${at}`))),
    ),
  );
}

/** @param {Message} message @param {InlineButton} button @param {string} name */
function key(message, button, name) {
  const leads = button.url ?? button.login_url ?? button.web_app;
  const busy = waits(name);
  return element(
    "button",
    { className: busy ? "key busy" : "key", "aria-busy": busy ? "true" : undefined, dataset: { key: name }, disabled: Boolean(button.disabled), onclick: () => void press(message, button, name) },
    element("span", { dir: "auto" }, button.text),
    leads ? icon("link") : button.copy_text && icon("copy"),
  );
}

/** @param {Message} message */
function more(message) {
  return element(
    "button",
    {
      className: "icon-button small more", tabIndex: -1, "aria-label": words.more, "aria-haspopup": "menu",
      dataset: { key: "more" },
      onclick: (/** @type {MouseEvent} */ event) => openMenu(message, { x: event.clientX, y: event.clientY }),
    },
    icon("down"),
  );
}

/** What the bot shows of a message that it has not sent yet. @param {Draft} draft */
export function draftRow(draft) {
  const { bot } = store.state;
  const text = draft.text ? formatted(draft.text, draft.entities, { id: `draft/${draft.draft_id}` }) : [words.thinking];
  return element(
    "li",
    "row first last growing",
    element("span", "beside", avatar({ id: bot.id, name: bot.first_name, bot: true })),
    element(
      "article",
      "bubble bot draft",
      element("div", { className: draft.text ? "text" : "text faint", dir: "auto", dataset: { key: "text" } }, ...text),
      draft.can_stop &&
        element("button", { className: "stop", dataset: { key: "stop" }, onclick: () => void stop(draft.draft_id) }, icon("stop"), words.stop),
    ),
  );
}
