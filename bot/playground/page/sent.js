// What was sent to the model: the newest request, whatever program made it.

import { element } from "./text.js";

const [facts, turns] = ["sent-facts", "sent"].map((id) => document.getElementById(id));
let count = 0;

/** Shows the newest of these requests, unless it is shown already. */
export function showSent(completions) {
  const last = completions.at(-1);
  if (!last || completions.length === count) return;
  count = completions.length;
  const { modelUri, completionOptions, messages } = last.body ?? {};
  const sent = Array.isArray(messages) ? messages : [];
  const time = new Date(last.time * 1000).toLocaleTimeString();
  facts.textContent =
    `Request ${count}, at ${time}: ${modelUri}, temperature ${completionOptions?.temperature}, ` +
    `at most ${completionOptions?.maxTokens} tokens, ${sent.length} messages`;
  turns.replaceChildren(...sent.map(turn));
  turns.scrollTop = turns.scrollHeight;
}

/** Shows none, and why. */
export function clearSent(reason) {
  count = 0;
  facts.textContent = reason;
  turns.replaceChildren();
}

function turn(message) {
  const { role, text } = message ?? {};
  return element(
    "li",
    { className: role },
    element("span", { className: "role" }, role),
    element("p", { dir: "auto" }, text),
  );
}
