// Short notices over the page.

import { byId, element } from "../dom.js";

const SECONDS = 4;

/** Shows a notice for some seconds; screen readers say it. @param {string} text */
export function toast(text) {
  const shown = element("div", { className: "toast", dir: "auto" }, text);
  byId("toasts").append(shown);
  setTimeout(() => shown.remove(), SECONDS * 1000);
}
