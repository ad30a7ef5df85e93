// Where the page is: who one is, which chat and topic are open. It stands in the address (#101/-100/7),
// so that a reload and a second window keep it.

import { store } from "./store.js";

/** @param {number} me @param {number} chat @param {number} [topic] */
export function address(me, chat, topic = 0) {
  return `#${[me, chat, topic].slice(0, topic ? 3 : chat ? 2 : 1).join("/")}`;
}

/** Opens what the address says, or else the private chat of the first person; what is no id in it is 0. */
export function openAddress() {
  const [me = 0, chat = 0, topic = 0] = location.hash.slice(1).split("/").map((id) => (/^-?\d{1,15}$/.test(id) ? Number(id) : 0));
  open(me || (store.state.demo?.people[0]?.id ?? 0), chat, topic);
}

/**
 * Opens a chat, or the list of chats if it is 0.
 *
 * @param {number} me
 * @param {number} chat one's own if private
 * @param {number} [topic] of a forum; the first of a forum's topics is General, 1
 */
export function open(me, chat, topic = 0) {
  const { state } = store;
  const listed = chat === 0;
  const place = (chat > 0 ? me : chat) || (state.me === me && state.chat) || me;
  const chats = me === state.me ? state.chats : [];
  const summary = chats.find((each) => each.id === place);
  const thread = topic || (summary?.is_forum ? 1 : 0);
  history.replaceState(null, "", address(me, listed ? 0 : place, thread));
  if (me === state.me && place === state.chat && thread === state.topic) {
    store.set({ listed });
    return;
  }
  store.set({
    me, chat: place, topic: thread, listed, chats, messages: new Map(), at_end: true, earlier: false,
    drafts: [], untaken: new Set(), keyboard: null, replying: null, editing: null,
  });
}

/** Becomes another person, in the same chat if it is no private one. @param {number} me */
export function become(me) {
  const { chat, topic, listed } = store.state;
  open(me, listed ? 0 : chat, chat > 0 ? 0 : topic);
}

window.addEventListener("hashchange", openAddress);
