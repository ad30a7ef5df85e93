// The page's own menu: theme, language, shortcuts.

import { byId, element } from "../dom.js";
import { icon } from "../icons.js";
import { language, words } from "../words/index.js";
import { openDialog } from "./dialog.js";
import { showShortcuts } from "./keys.js";

export function mountMain() {
  const button = byId("menu");
  button.append(icon("menu"));
  button.onclick = show;
}

function show() {
  const theme = localStorage.getItem("theme") ?? "system";
  const themes = Object.entries(words.themes).map(([name, label]) => choice("theme", label, name === theme, () => setTheme(name)));
  const languages = Object.entries({ en: "English", ru: "Русский" }).map(([name, label]) => choice("language", label, name === language, () => setLanguage(name)));
  const keys = element("button", { className: "choice", onclick: () => { made.close(); showShortcuts(); } }, icon("keyboard"), words.shortcuts);
  const made = openDialog(words.menu, [group(words.theme, themes), group(words.language, languages), keys]);
}

/** @param {string} title @param {HTMLElement[]} choices */
function group(title, choices) {
  return element("fieldset", "group", element("legend", {}, title), ...choices);
}

/** @param {string} name @param {string} label @param {boolean} checked @param {() => void} onchange */
function choice(name, label, checked, onchange) {
  return element("label", "radio", element("input", { type: "radio", name, checked, onchange }), label);
}

/** @param {string} name */
function setTheme(name) {
  localStorage.setItem("theme", name);
  document.documentElement.dataset.theme = name;
}

/** @param {string} name */
function setLanguage(name) {
  localStorage.setItem("language", name);
  location.reload();
}
