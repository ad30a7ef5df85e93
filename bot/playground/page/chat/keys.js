// The keyboard: what works anywhere on the page.

import { byId, element } from "../dom.js";
import { open } from "../route.js";
import { openPanel } from "../panels/aside.js";
import { store } from "../store.js";
import { words } from "../words/index.js";
import { cancel } from "./compose.js";
import { openDialog } from "./dialog.js";

export function mountKeys() {
  document.addEventListener("keydown", pressed);
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open")) return;
  const act = actOf(event);
  if (act && act() !== false) event.preventDefault();
}

/** @param {KeyboardEvent} event @returns {(() => unknown) | undefined} */
function actOf(event) {
  const held = event.ctrlKey || event.metaKey;
  const writes = /** @type {Element} */ (event.target).closest("input, textarea");
  if (event.key === "Escape") return escape;
  if (held && event.code === "KeyK") return () => byId("search").focus();
  if (held && (event.key === "/" || event.code === "Slash")) return showShortcuts;
  const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
  if (event.altKey && by) return () => step(by);
  if (writes) return undefined;
  if (event.key === "?") return showShortcuts;
  return by ? () => walk(by) : undefined;
}

/** Goes one step back: a search, a reply or an edit, a panel over the chat, the chat. */
function escape() {
  const search = /** @type {HTMLInputElement} */ (byId("search"));
  if (document.activeElement === search) {
    search.value = "";
    search.dispatchEvent(new Event("input"));
    return byId("text").focus();
  }
  if (cancel()) return undefined;
  if (store.state.panel && matchMedia("(max-width: 1099px)").matches) return openPanel(null);
  if (matchMedia("(max-width: 719px)").matches) return open(store.state.me, 0);
  return byId("text").focus();
}

/** @param {number} by */
function step(by) {
  const { chats, chat, me } = store.state;
  const at = chats.findIndex((each) => each.id === chat);
  const next = chats[at + by];
  if (next) open(me, next.id);
}

/** @param {number} by */
function walk(by) {
  const list = byId("messages");
  if (!list.contains(document.activeElement)) return false;
  const rows = [...list.querySelectorAll("li[tabindex]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at < 0 ? rows.at(-1) : rows[at + by];
  if (next instanceof HTMLElement) next.focus();
  return Boolean(next);
}

export function showShortcuts() {
  const rows = words.keys.map(([keys, does]) => element("tr", {}, element("th", { scope: "row" }, ...kbd(keys)), element("td", {}, does)));
  openDialog(words.shortcuts, [element("table", "keys", element("tbody", {}, ...rows))]);
}

/** @param {string} keys */
function kbd(keys) {
  return keys.split(" ").flatMap((key, at) => [at ? " " : "", element("kbd", {}, key)]);
}
