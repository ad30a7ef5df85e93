// Makes Telegram, the model and storage fail, and kills, freezes and starts workers.

import { call } from "../api.js";
import { element, patch, patchList } from "../dom.js";
import { words } from "../words/index.js";
import { button, changed, facts, field, select, settle } from "./controls.js";

/**
 * @import { Bounds, Controls, Fault, State, Worker } from "../types.js"
 * @import { Store } from "../store.js"
 * @typedef {(path: string, body: object) => void} Change
 */

export const id = "faults";

const told = words.faults;
/** What a fault is set to at first. @type {Record<string, number>} */
const FIRST = { seconds: 5, status: 500, retry_after: 20 };
/** What can be done with a worker in each state. @type {Record<string, string[]>} */
const ACTS = { starting: ["kill"], running: ["freeze", "kill", "end"], frozen: ["thaw", "kill"], ending: ["kill"] };

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const wrong = element("p", { className: "refused", role: "alert" });
  /** @type {Change} */
  const change = (path, body) => void call(path, body).then(() => patch(wrong), (error) => patch(wrong, words.failed(error.message)));
  const targets = element("div", "controls");
  const workers = element("ul");
  const start = button(told.start, () => change("demo/workers", { act: "start" }));
  const bots = element("section", { "aria-label": told.workers }, element("h2", {}, told.workers), facts(told.workers_intro), workers, start);
  root.append(element("h2", {}, told.title), facts(told.intro), button(told.heal, () => change("demo/heal", {})), wrong, targets, bots);

  return store.subscribe(["controls", "demo"], ({ controls, demo }) => {
    if (!controls) return;
    patchList(targets, Object.keys(controls.faults.possible), {
      key: (name) => name,
      depends: (name) => [JSON.stringify(controls.faults.set[name])],
      make: (name) => target(name, controls, change),
    });
    settle(targets);
    bots.hidden = !demo?.bot;
    patchList(workers, controls.workers, {
      key: ({ pid }) => pid,
      depends: ({ state }) => [state],
      make: (worker) => shown(worker, change),
    });
  });
}

/** What may fail: in which way, and with which parameters. @param {string} name @param {Controls} controls @param {Change} change */
function target(name, { faults }, change) {
  const kinds = faults.possible[name] ?? {};
  const now = faults.set[name];
  const put = (/** @type {Fault | null} */ fault) => change("demo/faults", { [name]: fault });
  const onchange = changed((kind) => put(begin(kind, kinds[kind] ?? {})));
  const options = select(["", ...Object.keys(kinds)].map((kind) => [kind, told.kinds[kind] ?? kind]), { "data-value": now?.kind ?? "", onchange });
  const parameters = now ? Object.entries(kinds[now.kind] ?? {}) : [];
  return element(
    "div",
    now ? "control fault" : "control",
    field(told.targets[name] ?? name, options),
    ...parameters.map(([parameter, bounds]) =>
      field(told.parameters[parameter] ?? parameter, parameterOf(bounds, now?.[parameter], (value) => put({ .../** @type {Fault} */ (now), [parameter]: value }))),
    ),
  );
}

/** @param {string} kind @param {Record<string, Bounds>} parameters @returns {Fault | null} */
function begin(kind, parameters) {
  const first = Object.entries(parameters).map(([name, { one_of }]) => [name, one_of?.find((status) => status >= 500) ?? FIRST[name]]);
  return kind ? { kind, ...Object.fromEntries(first) } : null;
}

/** @param {Bounds} bounds @param {unknown} now @param {(value: number) => void} put */
function parameterOf({ least, most, one_of }, now, put) {
  const properties = { "data-value": now, onchange: changed((value) => put(Number(value))) };
  if (one_of) return select(one_of.map((each) => [each, String(each)]), properties);
  return element("input", { type: "number", min: least, max: most, step: "any", required: true, ...properties });
}

/** @param {Worker} worker @param {Change} change */
function shown({ pid, state }, change) {
  const acts = (ACTS[state] ?? []).map((act) => button(told.acts[act] ?? act, () => change("demo/workers", { act, pid }), { "data-key": act }));
  const said = element("p", {}, `${told.worker(pid)}: `, element("strong", {}, told.states[state] ?? state));
  return element("li", `worker ${state}`, said, element("div", "actions-line", ...acts));
}

/** What is wrong at the moment, in a few words; empty if nothing is. @param {State} state */
export function wrongNow({ controls, demo }) {
  if (!controls) return "";
  const faults = Object.entries(controls.faults.set).map(([name, { kind }]) => `${told.targets[name]} ${told.kinds[kind]}`);
  const states = new Set(controls.workers.map(({ state }) => state));
  if (states.has("frozen")) faults.push(told.frozen);
  else if (demo?.bot && !["starting", "running", "ending"].some((each) => states.has(each))) faults.push(told.no_worker);
  return faults.join(", ");
}
