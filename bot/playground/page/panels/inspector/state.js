// What the inspector knows: the answers of the open chat, and the one that is looked at.

import { fetched, pause, withQuery } from "../../api.js";
import { more } from "../../follow.js";
import { makeStore } from "../../store.js";

/**
 * @import { Answer, Full, Known } from "./types.js"
 * @import { Store } from "../../store.js"
 */

const PAUSE = 1000; // ms until the demo is asked again if it does not answer
const BREATH = 200; // ms between two looks, however much happens
const OPEN = "inspector-open";

/** @returns {ReadonlySet<string>} */
function opened() {
  const kept = localStorage.getItem(OPEN);
  return new Set(kept === null ? ["times", "request"] : kept.split(" "));
}

/** @type {Known} */
const NOTHING = { answers: [], storage: "none", chosen: 0, other: 0, full: null, compared: null, open: opened() };

export const known = makeStore(NOTHING);

/** Opens or closes a section, now and next time. @param {string} name @param {boolean} isOpen */
export function setOpen(name, isOpen) {
  const open = new Set(known.state.open);
  if (isOpen) open.add(name);
  else open.delete(name);
  localStorage.setItem(OPEN, [...open].join(" "));
  known.set({ open });
}

/** The number of the answer that is looked at; 0 if there is none. */
export function looked() {
  const { answers, chosen } = known.state;
  return answers.find(({ number }) => number === chosen)?.number ?? answers.at(-1)?.number ?? 0;
}

/** @param {number} number */
export function choose(number) {
  const { answers, other } = known.state;
  known.set({ chosen: answers.at(-1)?.number === number ? 0 : number, ...(other === number ? { other: 0, compared: null } : {}) });
}

/** Follows the chat that is open, for as long as the signal allows. @param {Store} store @param {AbortSignal} end */
export function follow(store, end) {
  let left = new AbortController();
  end.addEventListener("abort", () => left.abort());
  return store.subscribe(["chat", "topic", "demo"], ({ chat, demo }) => {
    left.abort();
    left = new AbortController();
    known.set({ answers: [], chosen: 0, other: 0, full: null, compared: null });
    if (chat && demo && !end.aborted) void watch(chat, store, left.signal);
  });
}

/** @param {number} chat @param {Store} store @param {AbortSignal} signal */
async function watch(chat, store, signal) {
  let since = { run: "", since: -1 };
  while (!signal.aborted) {
    try {
      const next = more;
      const news = await fetched(withQuery("demo/answers", { chat, wait: 0, ...since }), { signal });
      if (signal.aborted) return;
      learn(news, news.run === since.run, store.state.topic);
      since = { run: news.run, since: news.version };
      await look(chat, signal);
      await pause(BREATH);
      await next;
    } catch {
      await pause(PAUSE);
    }
  }
}

/**
 * @param {{ answers: Answer[], oldest: number, storage: Known["storage"] }} news
 * @param {boolean} isMore whether they are only what has changed
 * @param {number} topic
 */
function learn({ answers, oldest, storage }, isMore, topic) {
  const all = new Map(isMore ? known.state.answers.map((one) => [one.number, one]) : []);
  for (const one of answers) if (isOf(one, topic)) all.set(one.number, one);
  for (const number of all.keys()) if (number < oldest) all.delete(number);
  known.set({ answers: [...all.values()].sort((one, two) => one.number - two.number), storage });
}

/** Of a forum, each topic shows its own; General, whose thread is 1, is the conversation 0. @param {Answer} one @param {number} topic */
function isOf(one, topic) {
  return !topic || one.chat === null || one.topic === (topic === 1 ? 0 : topic);
}

/** Fetches what is looked at, if it has changed. @param {number} chat @param {AbortSignal} [signal] */
export async function look(chat, signal) {
  const { other } = known.state;
  const [full, compared] = await Promise.all([one(chat, looked(), signal), one(chat, other, signal)]);
  if (!signal?.aborted) known.set({ full, compared });
}

/** @param {number} chat @param {number} number @param {AbortSignal} [signal] @returns {Promise<Full | null>} */
async function one(chat, number, signal) {
  if (!number) return null;
  return fetched(withQuery("demo/answer", { chat, number }), signal ? { signal } : {}).catch(() => null);
}
