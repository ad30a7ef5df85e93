// Dialogs: native ones, which keep the focus and close on Escape.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { words } from "../words/index.js";

/**
 * Opens a dialog; it is removed once it is closed.
 *
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {() => void} [closed]
 */
export function openDialog(title, content, closed = () => {}) {
  const close = element("button", { className: "icon-button", "aria-label": words.close, onclick: () => made.close() }, icon("close"));
  const made = element(
    "dialog",
    { "aria-label": title, className: "dialog" },
    element("header", {}, element("h2", { dir: "auto" }, title), close),
    element("div", "dialog-body", ...content),
  );
  made.onclick = (event) => {
    if (event.target === made) made.close(); // the backdrop
  };
  made.onclose = () => {
    made.remove();
    closed();
  };
  document.body.append(made);
  made.showModal();
  return made;
}

/** @param {string} text */
export function tell(text) {
  const ok = element("button", { className: "primary", onclick: () => made.close() }, words.ok);
  const made = openDialog(words.bot_says, [element("p", { dir: "auto", className: "dialog-text" }, text), ok]);
  ok.focus();
}

/**
 * Lets one choose; null if nothing was chosen.
 *
 * @template T
 * @param {string} title
 * @param {{ label: string, value: T }[]} choices
 * @returns {Promise<T | null>}
 */
export function ask(title, choices) {
  return new Promise((resolve) => {
    /** @type {T | null} */
    let chosen = null;
    const buttons = choices.map(({ label, value }) => {
      const choose = () => {
        chosen = value;
        made.close();
      };
      return element("button", { className: "choice", onclick: choose, dir: "auto" }, label);
    });
    const made = openDialog(title, buttons, () => resolve(chosen));
  });
}
