// The request to the model, the answer as it came, and what they cost.

import { copy } from "../../chat/actions.js";
import { element } from "../../dom.js";
import { drawing } from "../../icons.js";
import { words } from "../../words/index.js";
import { whole } from "../../words/numbers.js";
import { chip, note } from "../controls.js";
import { block, coloured, indented, scrolled } from "./json.js";

/** @import { Full, Tokens } from "./types.js" */

const told = words.inspector;

/** @param {Full} full */
export function timesOf(full) {
  const { asked, budget } = full;
  const facts = [asked?.first_words, asked?.took].filter((one) => typeof one === "number").map((one) => told.seconds(Number(one)));
  return { name: "times", title: told.times, facts: facts.join(" / "), depends: [asked, budget], make: () => times(full) };
}

/** @param {Full} full */
function times({ asked, budget }) {
  if (!asked) return [];
  const { took, first_words: first, tokens } = asked;
  const ended = asked.ended ? (told.ended[asked.ended] ?? asked.ended) : "";
  const status = asked.status === null ? told.answering : [told.http(asked.status), ended].filter(Boolean).join(", ");
  return [
    element("p", "mono-line", [asked.model, status].filter(Boolean).join(" · ")),
    asked.error && element("p", { className: "error-line", dir: "auto" }, asked.error),
    first === null && asked.status === null && note(told.waiting_for_words),
    first !== null && bar(told.first_words, told.seconds(first), 0, first, took ?? first),
    took !== null && bar(told.whole, told.seconds(took), first ?? 0, took, took),
    ...(tokens ? tokenBars(tokens, budget) : [asked.status === 200 && note(told.no_tokens)]),
  ];
}

/** @param {Tokens} tokens @param {Full["budget"]} budget */
function tokenBars({ input, completion, total, reasoning }, budget) {
  return [
    bar(told.input, told.tokens(input), 0, input, total),
    bar(told.completion, told.tokens(completion), input, total, total),
    reasoning > 0 && bar(told.reasoning, told.tokens(reasoning), input, input + reasoning, total),
    budget && bar(told.room, told.of(input, budget.budget), 0, input, budget.budget),
  ];
}

/** Draws a part, from one number to another, of a whole. @param {string} name @param {string} text @param {number} from @param {number} to @param {number} all */
function bar(name, text, from, to, all) {
  return element(
    "div",
    "bar-line",
    element("span", "bar-name", name),
    drawn(all ? from / all : 0, all ? Math.min(1, to / all) : 0),
    element("span", "bar-value", text),
  );
}

/** Draws a bar from one share of it to another. The page may set no styles, so it is a picture. @param {number} from @param {number} to */
function drawn(from, to) {
  const inside = { x: 100 * from, width: Math.max(1, 100 * (to - from)), height: 8 };
  return drawing({ viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "bar" }, "rect", inside);
}

/** @param {Full} full */
export function requestOf({ request, asked }) {
  const facts = asked ? told.messages(asked.messages) : "";
  return { name: "request", title: told.request, facts, depends: [request], make: () => (request ? requested(request) : []) };
}

/** @param {NonNullable<Full["request"]>} request */
function requested({ url, headers, body, curl }) {
  return [
    element("div", "actions-line", chip(told.copy, () => copy(indented(body))), chip(told.copy_curl, () => copy(curl))),
    element("p", "mono-line", `POST ${url}`),
    block(body, told.request),
    nested(told.curl, scrolled(told.curl, element("pre", {}, curl))),
    nested(told.headers, block(headers, told.headers)),
  ];
}

/** @param {string} title @param {Node} content */
function nested(title, content) {
  return element("details", "nested", element("summary", {}, title), content);
}

/** @param {Full} full */
export function answerOf({ answer, asked }) {
  const lines = answer ? linesOf(answer.head).length + linesOf(answer.tail).length : 0;
  const facts = lines ? whole(lines) : "";
  return { name: "answer", title: told.answered, facts, depends: [answer, asked?.status], make: () => came(answer) };
}

/** @param {Full["answer"]} answer */
function came(answer) {
  if (!answer?.head) return [note(told.nothing_came)];
  const gap = answer.left_out ? [element("li", "lines-gap", told.bytes_left_out(answer.left_out))] : [];
  const lines = [...linesOf(answer.head).map(line), ...gap, ...linesOf(answer.tail).map(line)];
  return [
    element("div", "actions-line", chip(told.copy, () => copy(answer.head + answer.tail))),
    scrolled(told.answered, element("ol", "lines", ...lines)),
  ];
}

/** @param {string} text */
function linesOf(text) {
  return text.split("\n").filter((line) => line.trim());
}

/** @param {string} text */
function line(text) {
  return element("li", "line", ...coloured(text));
}
