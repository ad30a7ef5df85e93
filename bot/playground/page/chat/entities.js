// A Telegram text on the page: entities become elements, characters stay characters.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { words } from "../words/index.js";

/** @import { Entity } from "../types.js" */
/** @import { Context } from "./types.js" */

/** @type {Record<string, keyof HTMLElementTagNameMap>} */
const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code" };

/** What begins and ends a line by itself. */
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/** Spoilers and long quotes that were opened. @type {Set<string>} */
const opened = new Set();

/**
 * Renders a Bot API text with its entities, whose offsets count UTF-16 units as JavaScript does.
 *
 * @param {string} text
 * @param {Entity[]} [entities]
 * @param {Context} [context]
 * @returns {(Node | string)[]}
 */
export function formatted(text, entities = [], context = { id: "" }) {
  const outermostFirst = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodes(text, 0, text.length, outermostFirst, context);
}

/**
 * @param {string} text @param {number} start @param {number} end
 * @param {Entity[]} entities @param {Context} context
 */
function nodes(text, start, end, entities, context) {
  /** @type {(Node | string)[]} */
  const made = [];
  let at = start;
  for (let i = 0; i < entities.length; ) {
    const entity = /** @type {Entity} */ (entities[i]);
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    let next = i + 1;
    while (next < entities.length && /** @type {Entity} */ (entities[next]).offset < to) next += 1;
    if (from < to) {
      const block = BLOCKS.has(entity.type);
      made.push(block ? text.slice(at, from).replace(/\n$/, "") : text.slice(at, from));
      const inside = nodes(text, from, to, entities.slice(i + 1, next), context);
      made.push(wrapped(entity, inside, text.slice(from, to), context));
      at = block && text[to] === "\n" ? to + 1 : to;
    }
    i = next;
  }
  if (at < end) made.push(text.slice(at, end));
  return made.filter((node) => node !== "");
}

/** @param {Entity} entity @param {(Node | string)[]} inside @param {string} text @param {Context} context */
function wrapped(entity, inside, text, context) {
  const tag = TAGS[entity.type];
  if (tag) return element(tag, {}, ...inside);
  switch (entity.type) {
    case "pre":
      return code(entity.language ?? "", text, inside, context);
    case "blockquote":
      return element("blockquote", {}, ...inside);
    case "expandable_blockquote":
      return expandable(`${context.id}/${entity.offset}`, text, inside);
    case "spoiler":
      return spoiler(`${context.id}/${entity.offset}`, inside);
    case "bot_command":
      return act(inside, context.command && (() => context.command?.(text)));
    case "mention":
      return act(inside, context.mention && (() => context.mention?.(text.slice(1))));
    default:
      return link(target(entity, text), inside, context);
  }
}

/** Returns what an entity leads to, if it leads to anything. @param {Entity} entity @param {string} text */
function target(entity, text) {
  switch (entity.type) {
    case "text_link":
      return entity.url;
    case "url":
      return /^[a-z]+:/i.test(text) ? text : `http://${text}`;
    case "email":
      return `mailto:${text}`;
    case "phone_number":
      return `tel:${text.replace(/[^+\d]/g, "")}`;
    default:
      return undefined;
  }
}

/** @param {string | undefined} url @param {(Node | string)[]} inside @param {Context} context */
function link(url, inside, context) {
  if (!url || !/^(https?|mailto|tel|tg):/i.test(url)) return element("span", "accent", ...inside);
  const visit = context.visit && isOfTelegram(url) ? () => (context.visit?.(url), false) : null;
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer", onclick: visit }, ...inside);
}

/** Tells whether Telegram's apps open an address themselves. @param {string} url */
export function isOfTelegram(url) {
  return /^(https?:\/\/)?(t\.me|telegram\.me)\/|^tg:/i.test(url);
}

/** @param {(Node | string)[]} inside @param {(() => void) | undefined} onclick */
function act(inside, onclick) {
  if (!onclick) return element("span", "accent", ...inside);
  return element("button", { className: "inline-act", onclick }, ...inside);
}

/** @param {string} language @param {string} text @param {(Node | string)[]} inside @param {Context} context */
function code(language, text, inside, context) {
  const copy = context.copy;
  return element(
    "div",
    "code",
    element(
      "div",
      "code-head",
      element("span", {}, language),
      copy && element("button", { className: "icon-button small", title: words.copy, "aria-label": words.copy, onclick: () => copy(text) }, icon("copy")),
    ),
    element("pre", { tabIndex: 0 }, element("code", {}, ...inside)),
  );
}

/** Hides a text until it is pressed. @param {string} key @param {(Node | string)[]} inside */
function spoiler(key, inside) {
  if (opened.has(key)) return element("span", "spoiler open", element("span", {}, ...inside));
  const hidden = element("span", { "aria-hidden": "true" }, ...inside);
  const onclick = (/** @type {Event} */ event) => reveal(key, /** @type {HTMLElement} */ (event.currentTarget));
  const onkeydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onclick(event);
  };
  return element("span", { className: "spoiler", role: "button", tabIndex: 0, "aria-label": words.spoiler, onclick, onkeydown }, hidden);
}

/** @param {string} key @param {HTMLElement} shown */
function reveal(key, shown) {
  opened.add(key);
  shown.className = "spoiler open";
  shown.onclick = shown.onkeydown = null;
  for (const name of ["role", "tabindex", "aria-label"]) shown.removeAttribute(name);
  shown.firstElementChild?.removeAttribute("aria-hidden");
}

/** Shows three lines of a long quote until it is opened. @param {string} key @param {string} text @param {(Node | string)[]} inside */
function expandable(key, text, inside) {
  const body = element("div", "quote-body", ...inside);
  if (text.length < 160 && text.split("\n").length < 4) return element("blockquote", {}, body);
  const isOpen = opened.has(key);
  const toggle = element(
    "button",
    { className: "quote-toggle", "aria-expanded": String(isOpen), "aria-label": words.all, onclick: (/** @type {Event} */ event) => expand(key, /** @type {HTMLElement} */ (event.currentTarget)) },
    icon("down"),
  );
  return element("blockquote", { className: isOpen ? "expandable open" : "expandable" }, body, toggle);
}

/** Opens a long quote, or closes it again. @param {string} key @param {HTMLElement} toggle */
function expand(key, toggle) {
  const isOpen = !opened.delete(key);
  if (isOpen) opened.add(key);
  toggle.setAttribute("aria-expanded", String(isOpen));
  toggle.closest("blockquote")?.classList.toggle("open", isOpen);
}
