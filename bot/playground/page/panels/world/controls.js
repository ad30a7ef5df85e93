// The controls of this panel: rows that open, switches, and forms of a line or two.

import { act } from "../../chat/actions.js";
import { element } from "../../dom.js";
import { icon } from "../../icons.js";
import { words } from "../../words/index.js";
import { button, field } from "../controls.js";

/** @import { Child } from "../../dom.js" */

/** A row that opens to what can be done with it. @param {string} key @param {Child[]} summary @param {Child[]} content */
export function row(key, summary, content) {
  return element("details", { className: "world-row", "data-key": key }, element("summary", {}, ...summary, icon("down")), element("div", "world-inside", ...content));
}

/** @param {string} name @param {string} [more] */
export function label(name, more = "") {
  return element("span", "world-name", element("b", { dir: "auto" }, name), more && element("span", { className: "faint", dir: "auto" }, more));
}

/** A button that does something to somebody or something. @param {string} text @param {string} whom @param {string} path @param {object} body */
export function doing(text, whom, path, body) {
  return button(text, () => act(`room/${path}`, body), { "aria-label": `${text}: ${whom}` });
}

/** A switch; what it does comes back with the world, so it moves when that has happened. @param {string} text @param {boolean} on @param {() => unknown} onclick */
export function toggle(text, on, onclick) {
  return element(
    "button",
    { role: "switch", className: "switch", "aria-checked": String(on), onclick },
    element("span", {}, text),
    element("span", { className: "knob", "aria-hidden": "true" }),
  );
}

/** Switches for those of all names that are granted. @param {string[]} all @param {string[]} granted @param {(granted: string[]) => unknown} change */
export function toggles(all, granted, change) {
  return all.map((name) => {
    const on = granted.includes(name);
    const then = all.filter((each) => (each === name ? !on : granted.includes(each)));
    return toggle(spoken(name.replace("can_", "")), on, () => change(then));
  });
}

/** Says what the Bot API names, such as pin_messages. @param {string} name */
function spoken(name) {
  return words.world.rights[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}

/** @param {string} text @param {string} name @param {Record<string, unknown>} more */
export function input(text, name, more) {
  return field(text, element("input", { name, autocomplete: "off", ...more }));
}

/** @param {string} text @param {string} name @param {boolean} checked */
export function box(text, name, checked) {
  return element("label", "world-box", element("input", { type: "checkbox", name, checked }), text);
}

/**
 * A form; `send` gets what was filled in, and tells whether the form can be emptied.
 *
 * @param {string} name of the form, for screen readers
 * @param {Child[]} fields
 * @param {string} text of its button
 * @param {(given: Record<string, string>) => Promise<boolean>} send
 * @param {string} [key] a form with another is another form, and empty
 */
export function form(name, fields, text, send, key = name) {
  /** @param {Event} event */
  const onclick = async (event) => {
    event.preventDefault();
    const filled = /** @type {HTMLButtonElement} */ (event.currentTarget).form;
    if (!filled?.reportValidity()) return;
    const given = Object.fromEntries([...new FormData(filled)].map(([key, value]) => [key, String(value).trim()]));
    if (await send(given)) filled.reset();
  };
  const submit = element("button", { type: "submit", className: "choice", onclick }, text);
  return element("form", { className: "world-form", "aria-label": name, "data-key": key }, ...fields, submit);
}
