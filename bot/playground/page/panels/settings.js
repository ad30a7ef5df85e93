// The bot's settings for the demo: changed here, they are in the environment of new workers.

import { call } from "../api.js";
import { element, patch } from "../dom.js";
import { words } from "../words/index.js";
import { facts, field, select } from "./controls.js";

/**
 * @import { Facts, Settings } from "../types.js"
 * @import { Store } from "../store.js"
 */

export const id = "settings";

const told = words.settings;

/** @param {Facts} demo */
export const served = ({ bot }) => bot;

/** @param {HTMLElement} root @param {Store} store */
export function mount(root, store) {
  const model = facts();
  const prompt = element("textarea", { rows: 5, required: true, maxLength: 20_000, dir: "auto" });
  const temperature = element("input", { type: "number", min: "0", max: "1", step: "any", required: true });
  const tokens = element("input", { type: "number", min: "1", step: "1", required: true });
  const streaming = select(Object.entries(told.ways));
  const apply = element("button", { type: "submit", className: "primary" }, told.apply);
  const said = element("p", { role: "status" });
  const wrong = element("p", { className: "refused", role: "alert" });
  const form = element(
    "form",
    { className: "controls", autocomplete: "off" },
    field(told.prompt, prompt),
    field(told.temperature, temperature),
    field(told.tokens, tokens),
    field(told.streaming, streaming),
    apply,
    said,
    wrong,
  );
  root.append(element("h2", {}, told.title), facts(told.intro), model, form);
  let typed = false;
  form.oninput = () => {
    typed = true;
    patch(said);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    void send();
  };

  async function send() {
    apply.disabled = true;
    patch(wrong);
    patch(said, told.applying);
    try {
      const chosen = { system_prompt: prompt.value, temperature: temperature.valueAsNumber, max_tokens: tokens.valueAsNumber, streaming: streaming.value };
      fill(await call("demo/settings", chosen));
      patch(said, told.applied);
    } catch (error) {
      patch(said);
      patch(wrong, words.failed(/** @type {Error} */ (error).message));
    }
    apply.disabled = false;
  }

  /** @param {Settings} now */
  function fill(now) {
    prompt.value = now.system_prompt;
    temperature.value = String(now.temperature);
    tokens.value = String(now.max_tokens);
    streaming.value = now.streaming;
    typed = false;
  }

  return store.subscribe(["controls", "demo"], ({ controls, demo }) => {
    if (!controls?.settings || !demo) return;
    const local = demo.model === "local";
    patch(model, element("strong", {}, told.model(local ? words.models.local : controls.settings.model)), local && ` ${told.local}`);
    if (!typed && !apply.disabled) fill(controls.settings);
  });
}
