// The controls of the panels: buttons, fields and choices.

import { element } from "../dom.js";

/** @import { Child } from "../dom.js" */

/** @param {Child[]} children */
export function facts(...children) {
  return element("p", "panel-facts", ...children);
}

/** @param {string} text */
export function note(text) {
  return element("p", "faint", text);
}

/** @param {string} text @param {() => unknown} onclick */
export function chip(text, onclick) {
  return button(text, onclick, { className: "chip" });
}

/** @param {string} text @param {() => unknown} onclick @param {Record<string, unknown>} [more] */
export function button(text, onclick, more) {
  return element("button", { className: "choice", onclick, ...more }, text);
}

/** @param {string} text @param {HTMLElement} control */
export function field(text, control) {
  return element("label", "field", text, control);
}

/** A choice among values, each with its text. @param {(readonly [string | number, string])[]} options @param {Record<string, unknown>} [properties] */
export function select(options, properties) {
  return element("select", properties, ...options.map(([value, text]) => element("option", { value: String(value) }, text)));
}

/** Tells the value of a control that was changed. @param {(value: string) => void} change @returns {(event: Event) => void} */
export function changed(change) {
  return ({ currentTarget }) => change(/** @type {HTMLInputElement | HTMLSelectElement} */ (currentTarget).value);
}

/** Shows in each control what holds, which its `data-value` says, unless somebody is choosing. @param {Element} root */
export function settle(root) {
  for (const control of /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (root.querySelectorAll("[data-value]"))) {
    const { value = "" } = control.dataset;
    if (control.value !== value && control !== document.activeElement) control.value = value;
  }
}
