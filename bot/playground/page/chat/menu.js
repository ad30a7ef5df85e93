// Menus, and the one of a message: reply, edit, copy, forward, delete.

import { byId, element } from "../dom.js";
import { icon } from "../icons.js";
import { openPanel } from "../panels/aside.js";
import { openChat, store } from "../store.js";
import { words } from "../words/index.js";
import { copy, forward, remove } from "./actions.js";

/**
 * @import { Message } from "../types.js"
 * @import { Item } from "./types.js"
 */

/** @param {Message} message @returns {Item[]} */
function itemsOf(message) {
  const { me } = store.state;
  const text = message.text ?? message.caption;
  /** @type {(Item | false)[]} */
  const items = [
    { icon: "reply", label: words.reply, act: () => store.set({ replying: message, editing: null }) },
    message.from?.id === me && Boolean(message.text) && { icon: "edit", label: words.edit, act: () => store.set({ editing: message, replying: null }) },
    message.from?.id === store.state.bot.id && { icon: "search", label: words.inspector.inspect, act: () => inspect(message) },
    text !== undefined && { icon: "copy", label: words.copy, act: () => void copy(text) },
    { icon: "forward", label: words.forward, act: () => void forward(message) },
    mayDelete(message) && { icon: "bin", label: words.remove, act: () => void remove(message) },
  ];
  return items.filter((item) => item !== false);
}

/** @param {Message} message */
function inspect(message) {
  store.set({ inspected: message.message_id });
  openPanel("inspector");
}

/** @param {Message} message */
function mayDelete(message) {
  const { me, chat } = store.state;
  const rules = ["creator", "administrator"].includes(openChat(store.state)?.status ?? "");
  return chat > 0 || rules || (message.from?.id === me && !message.sender_chat);
}

/** Opens the menu at a place of the window. @param {Message} message @param {{ x: number, y: number }} at */
export function openMenu(message, at) {
  showMenu(words.more, itemsOf(message), at);
}

/**
 * Shows a menu; arrows move in it, and Escape or a click elsewhere closes it.
 *
 * @param {string} label
 * @param {Item[]} items
 * @param {{ x: number, y: number }} at
 */
export function showMenu(label, items, at) {
  const before = document.activeElement;
  const made = element("div", { className: "menu", role: "menu", "aria-label": label, popover: "auto" });
  made.append(
    ...items.map(({ icon: name, label: text, act }) => {
      const choose = () => {
        made.hidePopover();
        act();
      };
      return element("button", { role: "menuitem", className: "menu-item", onclick: choose }, icon(name), text);
    }),
  );
  made.onkeydown = (event) => move(event, [...made.querySelectorAll("button")]);
  made.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    const held = made.contains(document.activeElement) || document.activeElement === document.body;
    made.remove();
    if (held && before instanceof HTMLElement) before.focus({ preventScroll: true });
  });
  byId("chat").append(made); // any landmark: it lies over everything
  made.showPopover();
  place(made, at);
  made.querySelector("button")?.focus();
}

/** @param {KeyboardEvent} event @param {HTMLButtonElement[]} buttons */
function move(event, buttons) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons.at((at + step + buttons.length) % buttons.length)?.focus();
}

/** Keeps the menu inside the window. @param {HTMLElement} made @param {{ x: number, y: number }} at */
function place(made, { x, y }) {
  const { width, height } = made.getBoundingClientRect();
  made.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  made.style.top = `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`;
}
