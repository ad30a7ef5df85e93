// Suggestions over what one writes: commands after "/", people after "@".

import { fetched, withQuery } from "../api.js";
import { byId, element, patchList } from "../dom.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { words } from "../words/index.js";
import { command } from "./actions.js";
import { grow, write } from "./field.js";

/** @import { Suggestion } from "./types.js" */

const box = byId("suggestions");
/** @type {Suggestion[]} */
let offered = [];
let chosen = -1;
/** @type {HTMLTextAreaElement} */
let field;

/** @param {HTMLTextAreaElement} watched */
export function mountSuggestions(watched) {
  field = watched;
  const button = byId("commands");
  button.append(icon("slash"));
  button.onclick = () => void toggle();
  field.addEventListener("input", () => void suggest());
  for (const each of [field, box]) each.addEventListener("keydown", pressed, { capture: true });
  field.addEventListener("blur", (event) => {
    if (!box.contains(/** @type {Node | null} */ (event.relatedTarget))) hide();
  });
  box.onmousedown = (event) => event.preventDefault(); // the field keeps the focus
  store.subscribe(["chat", "topic", "me"], hide);
}

/** Hides them; tells whether there were any. */
export function hide() {
  const was = !box.hidden;
  offer([]);
  return was;
}

async function toggle() {
  if (hide()) return;
  field.focus();
  offer(await commands(""));
}

async function suggest() {
  const text = field.value;
  const begun = /(?:^|\s)@(\w*)$/.exec(text.slice(0, field.selectionStart));
  if (begun) offer(people(begun[1] ?? ""));
  else if (/^\/\w*$/.test(text)) {
    const found = await commands(text.slice(1));
    if (field.value === text) offer(found);
  } else hide();
}

/** The bot's commands that begin so. @param {string} begun @returns {Promise<Suggestion[]>} */
async function commands(begun) {
  const { chat, me: user } = store.state;
  /** @type {{ command: string, description: string }[]} */
  const menu = await fetched(withQuery("room/menu", { chat, user })).catch(() => []);
  return menu
    .filter((each) => each.command.startsWith(begun.toLowerCase()))
    .map((each) => ({
      text: `/${each.command}`,
      about: each.description,
      choose: () => {
        if (field.value.startsWith("/")) write("");
        void command(`/${each.command}`);
      },
    }));
}

/** The bot and the people whose names begin so. @param {string} begun @returns {Suggestion[]} */
function people(begun) {
  const { bot, people: all, chat } = store.state;
  if (chat > 0) return [];
  const low = begun.toLowerCase();
  return [bot, ...all]
    .filter(({ username, first_name }) => username && `${username} ${first_name}`.toLowerCase().includes(low))
    .map(({ username, first_name }) => ({ text: `@${username}`, about: first_name, choose: () => complete(`@${username} `, begun.length + 1) }));
}

/** Puts a text in place of what was begun. @param {string} text @param {number} begun */
function complete(text, begun) {
  const at = field.selectionStart;
  field.setRangeText(text, at - begun, at, "end");
  grow();
}

/** @param {Suggestion[]} suggestions */
function offer(suggestions) {
  offered = suggestions;
  chosen = suggestions.length ? 0 : -1;
  box.hidden = !suggestions.length;
  byId("suggested").textContent = suggestions.length ? words.suggestions(suggestions.length) : "";
  byId("commands").setAttribute("aria-expanded", String(!box.hidden));
  show();
}

function show() {
  patchList(box, offered.map((suggestion, at) => ({ ...suggestion, at })), {
    key: ({ at }) => at,
    depends: ({ at, text, about, choose }) => [text, about, choose, at === chosen],
    make: ({ at, text, about }) => element(
      "div",
      { role: "option", id: `suggestion-${at}`, className: "suggestion", "aria-selected": String(at === chosen), onclick: () => choose(at) },
      element("b", {}, text),
      element("span", { dir: "auto" }, about),
    ),
  });
  for (const each of [field, box]) {
    if (chosen < 0) each.removeAttribute("aria-activedescendant");
    else each.setAttribute("aria-activedescendant", `suggestion-${chosen}`);
  }
  if (chosen < 0) return;
  byId(`suggestion-${chosen}`).scrollIntoView({ block: "nearest" });
}

/** @param {number} at */
function choose(at) {
  const suggestion = offered[at];
  hide();
  suggestion?.choose();
  field.focus();
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (box.hidden || event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) chosen = (chosen + step + offered.length) % offered.length;
  else if (event.key === "Enter" || event.key === "Tab") choose(chosen);
  else if (event.key === "Escape") hide();
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (step) show();
}
