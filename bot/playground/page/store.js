// The one state of the page, and who wants to know of its changes.

/** @import { State } from "./types.js" */

/**
 * Makes a store. Listeners are called once after all changes made in one go, with the names of
 * what has changed.
 *
 * @template {object} T
 * @param {T} initial
 */
export function makeStore(initial) {
  let state = initial;
  /** @type {Set<keyof T>} */
  let changed = new Set();
  /** @type {Set<{ names: readonly (keyof T)[], listener: (state: T) => void }>} */
  const listeners = new Set();

  function tell() {
    const now = changed;
    changed = new Set();
    for (const { names, listener } of [...listeners]) {
      if (!names.some((name) => now.has(name))) continue;
      try {
        listener(state);
      } catch (error) {
        reportError(error); // the others still hear of it
      }
    }
  }

  return {
    /** The state as it is; never changed in place. */
    get state() {
      return state;
    },

    /** Changes some of it. @param {Partial<T>} part */
    set(part) {
      const names = /** @type {(keyof T)[]} */ (Object.keys(part));
      const really = names.filter((name) => state[name] !== part[name]);
      if (!really.length) return;
      if (!changed.size) queueMicrotask(tell);
      state = { ...state, ...part };
      for (const name of really) changed.add(name);
    },

    /**
     * Calls the listener now, and whenever one of the names changes; returns what ends that.
     *
     * @param {readonly (keyof T)[]} names
     * @param {(state: T) => void} listener
     */
    subscribe(names, listener) {
      const entry = { names, listener };
      listeners.add(entry);
      listener(state);
      return () => void listeners.delete(entry);
    },
  };
}

/** @type {State} */
const NOTHING = {
  demo: null,
  controls: null,
  away: false,
  me: 0,
  chat: 0,
  topic: 0,
  listed: true,
  bot: { id: 0, is_bot: true, first_name: "" },
  people: [],
  chats: [],
  messages: new Map(),
  at_end: true,
  earlier: false,
  drafts: [],
  untaken: new Set(),
  keyboard: null,
  replying: null,
  editing: null,
  pressed: new Set(),
  inspected: 0,
  written: new Map(),
  panel: null,
};

export const store = makeStore(NOTHING);
/** @typedef {typeof store} Store */

/** Returns what the list tells of the chat that is open. @param {State} state */
export function openChat(state) {
  return state.chats.find((chat) => chat.id === state.chat);
}
