// The world at hand: who and what there is, and everything that people and chance do to it.

import { fetched, pause } from "../api.js";
import { element, patch } from "../dom.js";
import { words } from "../words/index.js";
import { settle } from "./controls.js";
import { everybody } from "./world/everybody.js";
import { openChat } from "./world/open.js";

/** @import { Store } from "../store.js" */
/** @import { World } from "./world/types.js" */

export const id = "world";

const PAUSE = 300; // ms between two looks, at least: a growing answer is news many times a second

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const chat = element("section", { className: "world", id: "world-chat" });
  const all = element("section", { className: "world", id: "world-all" });
  const wrong = element("p", { className: "accent", role: "alert" });
  root.append(wrong, chat, all);

  /** @param {World} world */
  function show(world) {
    patch(chat, ...openChat(world));
    patch(all, ...everybody(world));
    settle(root);
  }

  let isEnded = false;
  let isWanted = false;
  let isLooking = false;

  /** Looks now, or once more after the look that is under way. */
  async function look() {
    isWanted = true;
    if (isLooking) return;
    isLooking = true;
    while (isWanted && !isEnded) {
      isWanted = false;
      const world = await fetched("room/world").catch(() => null);
      wrong.textContent = world ? "" : words.away;
      if (world && !isEnded) show(world);
      isWanted ||= !world;
      await pause(PAUSE);
    }
    isLooking = false;
  }

  const end = store.subscribe(["chats", "people", "chat", "me"], () => void look());
  return () => {
    isEnded = true;
    end();
  };
}
