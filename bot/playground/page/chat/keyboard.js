// The keyboard that a bot shows under the field, and the reply that it asks for.

import { byId, element, patch } from "../dom.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { words } from "../words/index.js";
import { act, here, say, visit } from "./actions.js";
import { toast } from "./toast.js";

/** @import { ReplyButton, State } from "../types.js" */

const box = byId("keyboard");
const toggle = byId("toggle-keyboard");
const field = /** @type {HTMLTextAreaElement} */ (byId("text"));

export function mountKeyboard() {
  toggle.append(icon("keyboard"));
  toggle.onclick = () => setHidden(!box.hidden);
  store.subscribe(["keyboard"], show);
}

/** @param {State} state */
function show({ keyboard, messages }) {
  const markup = keyboard?.reply_markup;
  const rows = markup?.keyboard ?? [];
  field.placeholder = markup?.input_field_placeholder ?? words.write;
  toggle.hidden = !rows.length;
  patch(box, ...rows.map((row) => element("div", "keyboard-row", ...row.map(key))));
  setHidden(!rows.length || Boolean(keyboard?.is_hidden));
  const asked = markup?.force_reply && messages.get(keyboard?.message_id ?? 0);
  if (asked && !store.state.editing) store.set({ replying: asked });
}

/** @param {boolean} hidden */
function setHidden(hidden) {
  box.hidden = hidden;
  toggle.setAttribute("aria-expanded", String(!hidden));
}

/** @param {ReplyButton} button */
function key(button) {
  return element("button", { className: "key", onclick: () => void press(button) }, element("span", { dir: "auto" }, button.text));
}

/** Says what the button says, or does what it asks for. @param {ReplyButton} button */
function press(button) {
  const { text, request_contact, request_location, web_app } = button;
  if (request_contact) return act("room/media", { ...here(), kind: "contact", ...contact() });
  if (request_location) return act("room/media", { ...here(), kind: "location", ...SOMEWHERE });
  if (web_app) return visit(web_app.url);
  if (Object.keys(button).some((name) => name.startsWith("request_"))) return toast(words.not_here);
  return say(text);
}

/** The contact of whoever one is, with a number that nobody has. */
function contact() {
  const { people, me } = store.state;
  return { phone_number: `+999${me}`, first_name: people.find(({ id }) => id === me)?.first_name ?? String(me) };
}

const SOMEWHERE = { latitude: 55.75222, longitude: 37.61556 }; // the page does not ask where one is
