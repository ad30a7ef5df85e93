// JSON as people read it: indented, with colours.

import { element } from "../../dom.js";

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\b(?:true|false|null)\b/g;
const ROLES = new Set(['"system"', '"user"', '"assistant"']);

/** Writes a value with two spaces for each level. @param {unknown} value */
export function indented(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** @param {string} text @returns {(Node | string)[]} */
export function coloured(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  let key = "";
  for (const match of text.matchAll(TOKENS)) {
    const [whole, string, colon] = match;
    parts.push(text.slice(at, match.index));
    at = match.index + whole.length;
    if (colon) {
      key = whole.slice(0, -colon.length);
      parts.push(element("span", "json-key", key), colon);
    } else {
      parts.push(element("span", { className: kind(string ?? "", key) }, whole));
    }
  }
  parts.push(text.slice(at));
  return parts;
}

/** @param {string} string @param {string} key */
function kind(string, key) {
  if (!string) return "json-plain";
  return key === '"role"' && ROLES.has(string) ? `json-role role-${string.slice(1, -1)}` : "json-string";
}

/** @param {unknown} value @param {string} label */
export function block(value, label) {
  return scrolled(label, element("pre", {}, ...coloured(indented(value))));
}

/** Makes a block that a keyboard can scroll. @param {string} label @param {HTMLElement} content */
export function scrolled(label, content) {
  return element("div", { className: "code-block", tabIndex: 0, role: "group", "aria-label": label }, content);
}
