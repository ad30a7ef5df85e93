// The field in which one writes.

import { byId } from "../dom.js";

const field = /** @type {HTMLTextAreaElement} */ (byId("text"));

/** @param {string} text */
export function write(text) {
  field.value = text;
  grow();
}

/** Makes the field as high as its text, where the browser does not. */
export function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
