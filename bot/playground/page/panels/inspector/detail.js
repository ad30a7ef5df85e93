// All that is known of one answer, in sections that open and close.

import { jump } from "../../chat/messages.js";
import { element, patch, patchList } from "../../dom.js";
import { words } from "../../words/index.js";
import { changed, chip, select, settle } from "../controls.js";
import { callsOf, laneOf } from "./calls.js";
import { comparedOf } from "./compared.js";
import { historyOf, leftOutOf } from "./history.js";
import { answerOf, requestOf, timesOf } from "./request.js";
import { choose, known, setOpen } from "./state.js";
import { timeOf } from "./timeline.js";

/** @import { Answer, Full, Known, Section } from "./types.js" */

const told = words.inspector;

/** @param {HTMLElement} root @param {Known} state */
export function showDetail(root, state) {
  const { full } = state;
  if (!root.firstChild) root.append(element("div", "inspector-head"), element("div", "sections"));
  const [head, sections] = /** @type {HTMLElement[]} */ ([...root.children]);
  root.hidden = !full;
  if (!head || !sections || !full) return;
  patch(head, ...headOf(full, state));
  settle(head);
  patchList(sections, sectionsOf(full, state), {
    key: ({ name }) => name,
    depends: ({ name, facts, depends }) => [full.number, state.open.has(name), facts, ...depends.map((one) => JSON.stringify(one))],
    make: (section) => shown(section, state.open.has(section.name)),
  });
}

/** @param {Full} full @param {Known} state */
function headOf(full, { answers, chosen, other }) {
  const others = answers.filter(({ number, asked }) => asked && number !== full.number).reverse();
  const [message] = full.messages;
  return [
    element("h2", {}, told.answer(full.number)),
    element("span", "faint", timeOf(full.time)),
    chosen > 0 && chip(told.newest, () => choose(0)),
    message !== undefined && chip(told.show_message, () => jump(message)),
    full.request && others.length > 0 && comparing(full.number, others, other),
    full.chat === null && element("p", "inspector-note", told.of_no_chat),
  ];
}

/** @param {number} number @param {Answer[]} others @param {number} other */
function comparing(number, others, other) {
  /** @type {[number, string][]} */
  const options = others.map((one) => [one.number, `${one.number} · ${one.question.text.slice(0, 40)}`]);
  const onchange = changed((value) => {
    const chosen = Number(value);
    known.set({ other: chosen, chosen: number, ...(chosen ? {} : { compared: null }) });
    if (chosen) setOpen("compared", true);
  });
  return element(
    "label",
    "comparing",
    element("span", {}, told.compare),
    select([[0, told.compare_none], ...options], { className: "chip", "data-value": other, onchange }),
  );
}

/** @param {Full} full @param {Known} state */
function sectionsOf(full, { compared, storage }) {
  const sees = storage !== "none" || full.history.before !== null;
  return [
    ...(compared?.request && full.request ? [comparedOf(full, compared)] : []),
    ...(full.asked ? [timesOf(full), requestOf(full), answerOf(full)] : []),
    ...(full.asked && sees ? [leftOutOf(full)] : []),
    ...(sees ? [historyOf(full)] : []),
    callsOf(full),
    ...(sees ? [laneOf(full)] : []),
  ];
}

/** @param {Section} section @param {boolean} isOpen */
function shown({ name, title, facts, make }, isOpen) {
  const made = element(
    "details",
    { className: "section", id: `section-${name}`, open: isOpen },
    element("summary", "section-title", element("span", {}, title), element("span", "section-facts", facts)),
    element("div", "section-content", ...(isOpen ? make() : [])),
  );
  made.addEventListener("toggle", () => {
    if (made.open !== known.state.open.has(name)) setOpen(name, made.open);
  });
  return made;
}
