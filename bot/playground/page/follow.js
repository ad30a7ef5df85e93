// Follows what happens in the demo, and puts it into the store.

import { fetched, pause, withQuery } from "./api.js";
import { open, openAddress } from "./route.js";
import { store } from "./store.js";

/** @import { News, Message } from "./types.js" */

const PAUSE = 1000; // ms until the demo is asked again if it does not answer
const KEPT = 240; // messages of a chat that are kept; there are buttons for earlier ones

/** How far the open chat is known. */
let known = { version: -1 };
let left = new AbortController();
let tell = () => {};
/** Is kept as soon as there is more news. @type {Promise<void>} */
export let more = Promise.resolve();

export async function follow() {
  store.subscribe(["me", "chat", "topic"], leave);
  for (;;) {
    try {
      await begin();
      for (;;) {
        while (document.hidden) await pause(100); // all windows share six connections
        await refresh();
        store.set({ away: false });
      }
    } catch {
      store.set({ away: true });
      await pause(PAUSE);
    }
  }
}

/** Ends the request that waits for news of a chat that is not open any more. */
function leave() {
  left.abort();
  left = new AbortController();
  known = { version: -1 };
}

/** Starts over if the demo is another one than before: its room is empty and counts from 0. */
async function begin() {
  const demo = await fetched("about.json");
  if (demo.run === store.state.demo?.run) return;
  leave();
  store.set({ demo, messages: new Map(), chats: [], drafts: [], replying: null, editing: null });
  openAddress();
}

/** Waits for what is new in the open chat. */
async function refresh() {
  const { signal } = left;
  const { demo, me, chat, topic } = store.state;
  if (!demo) return;
  let news;
  try {
    news = await fetched(withQuery("room/news", { run: demo.run, user: me, chat, topic, ...known }), { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return;
  }
  if (signal.aborted) return;
  if (news.run !== demo.run) await begin();
  else learn(news);
  tell();
  more = new Promise((resolve) => (tell = resolve));
}

/** @param {News} news */
function learn(news) {
  const [first] = news.people;
  if (first && !news.people.some(({ id }) => id === store.state.me)) return open(first.id, 0); // the address names nobody
  const forum = news.chats.find((chat) => chat.id === store.state.chat && chat.is_forum);
  if (forum && !store.state.topic) {
    store.set({ topic: 1, chats: news.chats }); // which the address did not say
    return;
  }
  known = { version: news.version };
  const { keyboard } = store.state;
  store.set({
    bot: news.bot,
    people: news.people,
    chats: news.chats,
    controls: news.controls,
    drafts: news.drafts,
    keyboard: JSON.stringify(keyboard) === JSON.stringify(news.keyboard) ? keyboard : news.keyboard, // draws nothing anew
    untaken: new Set(news.untaken),
    ...(news.earlier === undefined ? {} : { earlier: news.earlier }),
  });
  learnMessages(news);
}

/** Takes in messages of the open chat, new or changed. @param {News} news */
function learnMessages({ messages, deleted }) {
  if (!messages.length && !deleted.length) return;
  const all = new Map(store.state.messages);
  const first = oldest();
  for (const message of messages) {
    // What changes among those that are not shown is seen when they are.
    if (message.message_id >= first || !store.state.earlier) all.set(message.message_id, message);
  }
  for (const number of deleted) all.delete(number);
  const { editing, replying } = store.state;
  if (deleted.includes((editing ?? replying)?.message_id ?? 0)) store.set({ editing: null, replying: null });
  const sorted = [...all].sort(([one], [other]) => one - other);
  const fewer = store.state.at_end && sorted.length > KEPT; // the newest, unless one reads further back
  store.set({ messages: new Map(fewer ? sorted.slice(-KEPT) : sorted), ...(fewer ? { earlier: true } : {}) });
}

/** The number of the first message that is shown. */
export function oldest() {
  return store.state.messages.keys().next().value ?? 0;
}

/** Fetches the messages before those that are shown. */
export async function lookBack() {
  const { me, chat, topic } = store.state;
  const older = await fetched(withQuery("room/earlier", { user: me, chat, topic, before: oldest() }));
  if (chat !== store.state.chat || topic !== store.state.topic) return;
  const added = /** @type {[number, Message][]} */ (older.messages.map((/** @type {Message} */ each) => [each.message_id, each]));
  store.set({ messages: new Map([...added, ...store.state.messages]), earlier: older.earlier });
}
