// What an empty chat says: what this is, and what to try.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { words } from "../words/index.js";
import { command, say } from "./actions.js";

/** @import { State } from "../types.js" */

// What the tiny model answers sensibly nearly every time, and soon; it speaks no Russian.
const QUESTIONS = ["Explain photosynthesis in one sentence.", "Give me three names for a cat."];

/** @param {State} state */
export function welcome({ chat, demo }) {
  if (!demo) return null;
  if (chat < 0) return element("div", "welcome", element("p", {}, words.no_messages), element("p", {}, words.hello_group));
  const questions = demo.bot ? QUESTIONS.map((text) => choice(text, () => void say(text))) : [];
  const commands = demo.bot ? ["/help", "/settings"] : ["/start"];
  return element(
    "div",
    "welcome",
    element("span", "welcome-icon", icon("spark")),
    element("h2", {}, words.hello),
    element("p", { id: "about" }, words.about(demo)),
    element("p", "welcome-try", words.hello_bot),
    element("div", "choices", ...questions, ...commands.map((text) => choice(text, () => void command(text)))),
  );
}

/** @param {string} text @param {() => void} onclick */
function choice(text, onclick) {
  return element("button", { className: "choice", onclick }, text);
}
