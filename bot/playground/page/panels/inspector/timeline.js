// The answers of a chat along a line, newest first.

import { element, patchList } from "../../dom.js";
import { language, words } from "../../words/index.js";
import { choose } from "./state.js";

/** @import { Answer } from "./types.js" */

const told = words.inspector;

/** @param {HTMLElement} root @param {readonly Answer[]} answers oldest first @param {number} looked */
export function showTimeline(root, answers, looked) {
  patchList(root, answers.toReversed(), {
    key: ({ number }) => number,
    depends: (answer) => [JSON.stringify(answer), answer.number === looked],
    make: (answer) => entry(answer, answer.number === looked),
  });
}

/** @param {Answer} answer @param {boolean} isLooked */
function entry(answer, isLooked) {
  const { number, question } = answer;
  return element(
    "li",
    `timeline-entry is-${stateOf(answer)}`,
    element(
      "button",
      { className: "timeline-button", "aria-current": isLooked ? "true" : undefined, onclick: () => choose(number) },
      element("span", { className: "timeline-text", dir: "auto" }, question.text || question.kind || told.answer(number)),
      element("span", "timeline-facts", facts(answer).join(" · ")),
    ),
  );
}

/** How it goes: in work, failed, asked or not. Without Redis nobody knows when a command is done. @param {Answer} answer */
function stateOf({ over, asked, lane }) {
  if (asked && asked.status !== null && (asked.status !== 200 || asked.ended === "error" || asked.ended === null)) return "failed";
  if (asked ? asked.status === null : lane && !over) return "going";
  return asked ? "asked" : "plain";
}

/** @param {Answer} answer */
function facts(answer) {
  const { number, time, asked } = answer;
  const found = [`${number}`, timeOf(time)];
  if (!asked) return [...found, told.no_request];
  const state = stateOf(answer);
  if (state === "going") found.push(told.in_work);
  if (state === "failed") found.push(asked.status && asked.status !== 200 ? told.http(asked.status) : told.failed);
  if (asked.took !== null) found.push(told.seconds(asked.took));
  if (asked.tokens) found.push(told.tokens(asked.tokens.total));
  return found;
}

/** @param {number} seconds since 1970 */
export function timeOf(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(language);
}
