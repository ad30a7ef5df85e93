// What was sent to the model: the newest request of the chat that is open.

import { element } from "./text.js";
import { language, words } from "./words.js";

const [facts, turns] = ["sent-facts", "sent"].map((id) => document.getElementById(id));

/** Shows a request, of whose messages all are given. */
export function showSent(request, messages) {
  const { modelUri, completionOptions } = request;
  const told = words.facts({
    count: request.count,
    time: new Date(request.time * 1000).toLocaleTimeString(language),
    model: modelUri,
    temperature: completionOptions?.temperature,
    tokens: completionOptions?.maxTokens,
    messages: messages.length,
  });
  facts.textContent = request.is_of_chat ? told : `${told}. ${words.ofNoChat}`;
  turns.replaceChildren(...messages.map(turn));
  turns.scrollTop = turns.scrollHeight;
}

/** Shows none, and why. */
export function clearSent(reason) {
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
