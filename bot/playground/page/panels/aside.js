// The place at the right with its tabs, of which one is open.

import { byId, element, patchList } from "../dom.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { words } from "../words/index.js";
import * as faults from "./faults.js";
import * as inspector from "./inspector.js";
import * as settings from "./settings.js";
import * as world from "./world.js";

/**
 * @import { Panel } from "./types.js"
 * @import { State } from "../types.js"
 */

/** In the order of their tabs. @type {Panel[]} */
const panels = [inspector, faults, settings, world];

const root = byId("panel");
let mounted = "";
let unmount = () => {};

/** Shows it from now on. On a wide screen it is open at first. */
export function mountAside() {
  const chosen = localStorage.getItem("panel") ?? (matchMedia("(min-width: 1100px)").matches ? "first" : "");
  byId("inside").onclick = () => openPanel(store.state.panel ? null : (served()[0]?.id ?? null));
  const close = byId("close-panel");
  close.append(icon("close"));
  close.onclick = () => openPanel(null);
  byId("panel-tabs").onkeydown = moved;
  const end = store.subscribe(["demo"], ({ demo }) => {
    if (!demo) return;
    const found = served().find(({ id }) => id === chosen) ?? (chosen && served()[0]);
    store.set({ panel: found ? found.id : null });
    queueMicrotask(() => end());
  });
  store.subscribe(["panel", "demo"], show);
}

/** @param {string | null} id */
export function openPanel(id) {
  localStorage.setItem("panel", id ?? "");
  store.set({ panel: id });
}

/** The panels for which the demo has what they need. */
function served() {
  const { demo } = store.state;
  return demo ? panels.filter((panel) => panel.served?.(demo) ?? true) : [];
}

/** @param {State} state */
function show({ panel }) {
  const open = served().find(({ id }) => id === panel);
  byId("aside").hidden = !open;
  byId("inside").setAttribute("aria-expanded", String(Boolean(open)));
  byId("inside").hidden = !served().length;
  patchList(byId("panel-tabs"), served(), {
    key: ({ id }) => id,
    depends: ({ id }) => [id === open?.id],
    make: (each) => tab(each, each.id === open?.id),
  });
  mountPanel(open);
}

/** @param {Panel | undefined} open */
function mountPanel(open) {
  if ((open?.id ?? "") === mounted) return;
  unmount();
  root.replaceChildren();
  mounted = open?.id ?? "";
  root.setAttribute("aria-labelledby", `tab-${mounted}`);
  unmount = open ? open.mount(root, store) : () => {};
}

/** @param {Panel} panel @param {boolean} isOpen */
function tab({ id }, isOpen) {
  return element(
    "button",
    {
      role: "tab", id: `tab-${id}`, className: "tab", "aria-selected": String(isOpen), "aria-controls": "panel",
      tabIndex: isOpen ? 0 : -1, onclick: () => openPanel(id),
    },
    words[id].title,
  );
}

/** Arrows move between the tabs. @param {KeyboardEvent} event */
function moved(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const all = served();
  const at = all.findIndex(({ id }) => id === store.state.panel);
  const next = step && all.at((at + step) % all.length);
  if (!next) return;
  event.preventDefault();
  openPanel(next.id);
  queueMicrotask(() => document.getElementById(`tab-${next.id}`)?.focus());
}
