// The calls of the Bot API that belong to an answer, and what became of its lane.

import { element } from "../../dom.js";
import { words } from "../../words/index.js";
import { whole } from "../../words/numbers.js";
import { note } from "../controls.js";
import { block } from "./json.js";

/** @import { Call, Full, LaneState } from "./types.js" */

const told = words.inspector;

/** The calls that are open, so that they stay so when there is more of an answer. @type {Set<string>} */
const open = new Set();

/** @param {Full} full */
export function callsOf({ calls, calls_left_out: gone, time }) {
  return {
    name: "calls", title: told.calls, facts: whole(calls.length + gone), depends: [calls, gone],
    make: () => listed(calls, gone, time),
  };
}

/** @param {Call[]} calls @param {number} gone @param {number} time */
function listed(calls, gone, time) {
  if (!calls.length) return [note(told.no_calls)];
  return [
    gone > 0 && note(told.calls_left_out(gone)),
    element("ol", {}, ...calls.map((call) => element("li", {}, row(call, time)))),
  ];
}

/** @param {Call} call @param {number} time */
function row(call, time) {
  const { method, ok, took } = call;
  const status = took === undefined ? "…" : (call.status ?? told.no_answer);
  const made = element(
    "details",
    `call ${ok && status === 200 ? "" : took === undefined ? "is-going" : "is-failed"}`,
    element(
      "summary",
      "call-line",
      element("span", "call-method", method),
      element("span", "call-offset", `+${told.seconds(Math.max(0, call.time - time))}`),
      element("span", "call-took", took === undefined ? "" : told.seconds(took)),
      element("span", "call-status", String(status)),
    ),
  );
  const name = `${call.time} ${method}`;
  if (open.has(name)) made.append(...inside(call));
  made.open = open.has(name);
  made.addEventListener("toggle", () => {
    if (made.open) open.add(name);
    else open.delete(name);
    if (made.open && made.children.length === 1) made.append(...inside(call));
  });
  return made;
}

/** The JSON of a call, which is made only where somebody opens it. @param {Call} call */
function inside({ ok, parameters, result, error }) {
  const came = ok ? told.result : told.error;
  return [
    element("p", "call-part", told.parameters),
    block(parameters, told.parameters),
    element("p", "call-part", came),
    block(ok ? result : error, came),
  ];
}

/** @param {Full} full */
export function laneOf({ lane, time }) {
  const last = lane.at(-1);
  return {
    name: "lane", title: told.lane, facts: last ? (told.states[last.state]?.(last) ?? "") : "", depends: [lane],
    make: () => steps(lane, time),
  };
}

/** @param {LaneState[]} lane @param {number} time */
function steps(lane, time) {
  const seen = lane.some(({ state }) => state !== "done");
  return [!seen && note(told.unseen_lane), element("ol", {}, ...lane.map((state) => step(state, time)))];
}

/** @param {LaneState} state @param {number} time */
function step(state, time) {
  const more = [state.claims > 1 && told.claims(state.claims), state.behind > 0 && told.behind(state.behind)];
  return element(
    "li",
    `step is-${state.state}`,
    element("span", "step-offset", `+${told.seconds(Math.max(0, state.time - time))}`),
    element("span", {}, told.states[state.state]?.(state) ?? state.state),
    element("span", "faint", more.filter(Boolean).join(", ")),
  );
}
