// What the head of the page says of the demo's state: faults, with what heals them, and who waits for the model.

import { call } from "./api.js";
import { byId, element, patch } from "./dom.js";
import { wrongNow } from "./panels/faults.js";
import { store } from "./store.js";
import { words } from "./words/index.js";

export function mountFaultMark() {
  store.subscribe(["controls", "demo"], (state) => {
    const what = wrongNow(state);
    patch(byId("state"), what && mark(what));
  });
  store.subscribe(["controls", "chat"], ({ controls, chat }) => {
    const place = controls?.queue.waiting.indexOf(chat) ?? -1;
    byId("busy").textContent = place < 0 ? "" : words.faults.busy(place + 1);
  });
}

/** @param {string} what */
function mark(what) {
  return element(
    "button",
    { id: "fault", className: "fault-mark", title: what, onclick: () => void call("demo/heal").catch(() => {}) },
    element("span", "only-heard", words.faults.mark),
    element("span", "fault-what", what),
    element("strong", {}, words.faults.heal_short),
  );
}
