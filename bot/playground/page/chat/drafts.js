// What one has begun to write, for each chat and person. A reload keeps the texts, and so does another run of the demo.

/** @import { State } from "../types.js" */
/** @import { Written } from "./types.js" */

const KEPT = "draft "; // what the keys of the session's storage begin with

/** @type {Map<string, Written>} */
const drafts = new Map(
  Object.entries(sessionStorage)
    .filter(([key]) => key.startsWith(KEPT))
    .map(([key, text]) => [key.slice(KEPT.length), { text, ...nothingElse() }]),
);

/** What goes with a text at first. @returns {Omit<Written, "text">} */
function nothingElse() {
  return { replying: null, editing: null, files: [] };
}

/** @param {State} state */
export function placeOf({ me, chat, topic }) {
  return [me, chat, topic].join("/");
}

/** @param {string} place @returns {Written} */
export function recall(place) {
  return drafts.get(place) ?? { text: "", ...nothingElse() };
}

/** Returns what was begun elsewhere, by place: no edits, and nothing that is blank. */
export function texts() {
  const begun = [...drafts].filter(([, { text, editing }]) => text.trim() && !editing);
  return new Map(begun.map(([place, { text }]) => [place, text]));
}

/** Forgets the messages of a run of the demo that is over, and edits of them. */
export function forgetMessages() {
  for (const [place, { text, files, editing }] of drafts) remember(place, { ...nothingElse(), text: editing ? "" : text, files });
}

/** @param {string} place @param {Written} written */
export function remember(place, written) {
  drafts.set(place, written);
  if (written.text && !written.editing) sessionStorage.setItem(KEPT + place, written.text);
  else sessionStorage.removeItem(KEPT + place);
}
