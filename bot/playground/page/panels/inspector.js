// The inspector: a timeline of the answers in the open chat, and all that is known of one of them.

import { element, patch } from "../dom.js";
import { words } from "../words/index.js";
import { showDetail } from "./inspector/detail.js";
import { choose, follow, known, look, looked } from "./inspector/state.js";
import { showTimeline } from "./inspector/timeline.js";

/** @import { Store } from "../store.js" */
/** @import { Known } from "./inspector/types.js" */

export const id = "inspector";

const told = words.inspector;

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const end = new AbortController();
  const notes = element("div", { role: "status" });
  const timeline = element("ol", "timeline");
  const list = element("section", { className: "inspector-list", "aria-label": told.answers }, notes, timeline);
  const detail = element("div", "inspector-detail");
  root.classList.add("has-inspector");
  root.append(list, detail);
  const ends = [
    follow(store, end.signal),
    known.subscribe(["answers", "storage", "chosen"], (state) => {
      patch(notes, ...notesOf(store, state));
      showTimeline(timeline, state.answers, looked());
    }),
    known.subscribe(["full", "compared", "open", "answers", "other"], (state) => showDetail(detail, state)),
    known.subscribe(["chosen", "other"], () => void look(store.state.chat, end.signal)),
    store.subscribe(["inspected"], ({ inspected }) => show(inspected)),
    known.subscribe(["answers"], () => show(store.state.inspected)),
  ];

  /** Looks at the answer that a message shows, once it is known. @param {number} message */
  function show(message) {
    if (!message) return;
    const answer = known.state.answers.findLast(({ messages }) => messages.includes(message));
    if (!answer) return;
    choose(answer.number);
    store.set({ inspected: 0 });
  }

  return () => {
    end.abort();
    for (const each of ends) each();
    root.classList.remove("has-inspector");
  };
}

/** @param {Store} store @param {Known} state */
function notesOf(store, { answers, storage }) {
  const { demo } = store.state;
  const notes = [demo ? told.no_bot(demo) : "", storage === "away" ? told.storage_away : "", answers.length ? "" : told.none];
  return notes.filter(Boolean).map((text) => element("p", "inspector-note", text));
}
