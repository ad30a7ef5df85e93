// The conversation's list in Redis before and after, and what of it the model did not get.

import { element } from "../../dom.js";
import { words } from "../../words/index.js";
import { whole } from "../../words/numbers.js";
import { note } from "../controls.js";
import { diff, drawnSign, shortened, SIGNS } from "./diff.js";

/** @import { Full, LeftOut } from "./types.js" */

const told = words.inspector;
const AROUND = 2; // unchanged entries that are shown around changed ones

/** @param {Full} full */
export function leftOutOf({ left_out: found, budget, history }) {
  const count = (found ?? []).reduce((sum, one) => sum + one.count, 0);
  return {
    name: "left-out", title: told.left_out, facts: found ? whole(count) : "", depends: [found, budget, history.before?.length],
    make: () => reasons(found, budget?.budget ?? null, history.before),
  };
}

/** @param {LeftOut[] | null} found @param {number | null} budget @param {string[] | null} before */
function reasons(found, budget, before) {
  if (before === null) return [note(told.unseen_history)];
  if (!found) return [note(told.unknown_left_out)];
  if (!found.length) return [note(before.length ? told.nothing_left_out : told.no_history)];
  return found.map(({ why, count, letters }) => element("p", {}, told.why[why]?.(count, letters, budget) ?? why));
}

/** @param {Full} full */
export function historyOf({ history, left_out: found }) {
  const { before, after } = history;
  return {
    name: "history", title: told.history, facts: before && after ? told.lengths(before.length, after.length) : "",
    depends: [history, found],
    make: () => changes(before, after, found ?? []),
  };
}

/** @param {string[] | null} before @param {string[] | null} after @param {LeftOut[]} found */
function changes(before, after, found) {
  if (!before) return [note(told.unseen_history)];
  const pending = after ? [] : [note(told.not_yet)];
  if (!before.length && !after?.length) return [note(told.empty_list), ...pending];
  let at = -1;
  const lines = diff(before, after ?? before).map(({ sign, line }) => {
    if (sign !== "+") at += 1;
    const why = sign === "+" ? undefined : reasonOf(found, at);
    return { sign, line, why, kept: why !== undefined && why !== "window" }; // of those there may be hundreds
  });
  const shown = shortened(lines, AROUND).map((one) =>
    "left_out" in one ? element("li", "lines-gap", told.unchanged(one.left_out)) : entry(one.sign, one.line, one.why),
  );
  return [element("ol", { "aria-label": told.history }, ...shown), ...pending];
}

/** @param {LeftOut[]} found @param {number} at */
function reasonOf(found, at) {
  return found.find(({ first, count }) => at >= first && at < first + count)?.why;
}

/** @param {" " | "-" | "+"} sign @param {string} line @param {LeftOut["why"] | undefined} why */
function entry(sign, line, why) {
  const { role, text, ...more } = read(line);
  const rest = Object.entries(more).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return element(
    "li",
    `history-entry is-${SIGNS[sign]}`,
    element(
      "div",
      "entry-facts",
      drawnSign(sign),
      element("span", `entry-role role-${role}`, role),
      why && element("span", "not-sent", told.not_sent[why]),
      element("span", "entry-more", rest.join(", ")),
    ),
    element("p", { className: "entry-text", dir: "auto" }, text),
  );
}

/** Reads an entry; what is not the bot's is shown as it is. @param {string} line @returns {Record<string, unknown> & { role: string, text: string }} */
function read(line) {
  try {
    const found = JSON.parse(line);
    if (typeof found?.role === "string" && typeof found?.text === "string") return found;
  } catch {
    // It is shown as it is.
  }
  return { role: "?", text: line };
}
