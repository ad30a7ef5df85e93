// What a screen reader says by itself: messages of others in the open chat, once they grow no more.

import { byId } from "../dom.js";
import { authorOf, excerpt } from "../names.js";
import { store } from "../store.js";

/** @import { State } from "../types.js" */

const STILL = 1200; // ms without a change after which a message is said

let place = "";
let said = 0;
let timer = 0;

export function mountHeard() {
  store.subscribe(["messages", "chat", "topic", "me"], changed);
}

/** @param {State} state */
function changed(state) {
  const { me, chat, topic, messages } = state;
  const last = [...messages.keys()].at(-1) ?? 0;
  const now = [me, chat, topic].join();
  if (now !== place || !said) {
    place = messages.size ? now : "";
    said = last;
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(say, STILL);
}

function say() {
  const { me, messages } = store.state;
  const others = [...messages.values()].filter((message) => message.message_id > said && message.from?.id !== me);
  said = [...messages.keys()].at(-1) ?? said;
  if (others.length) byId("heard").textContent = others.map((message) => `${authorOf(message).name}: ${excerpt(message)}`).join(". ");
}
