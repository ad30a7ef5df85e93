// What stands above a chat: whose it is, the model in use, and the door to what is inside.

import { byId, element, patch } from "../dom.js";
import { icon } from "../icons.js";
import { avatarOf, nameOf, titleOf } from "../names.js";
import { address, open } from "../route.js";
import { reveal } from "./list.js";
import { openChat, store } from "../store.js";
import { plural, words } from "../words/index.js";

/** @import { Facts, State, Summary } from "../types.js" */

export function mountHeader() {
  const back = byId("back");
  back.append(icon("back"));
  back.onclick = () => open(store.state.me, 0);
  byId("inside").append(icon("panel"));
  store.subscribe(["chats", "chat", "me", "demo", "bot"], show);
  store.subscribe(["chats", "chat", "topic", "me"], showTopics);
}

/** @param {State} state */
function show(state) {
  const { demo, bot } = state;
  const chat = openChat(state);
  const name = chat ? titleOf(chat) : state.chat > 0 ? nameOf(bot) : String(state.chat || "");
  patch(
    byId("chat-head"),
    chat && avatarOf(chat),
    element("h1", { dir: "auto" }, name),
    element("p", "chat-facts", demo?.bot && element("span", "model-too", `${modelName(demo).split(",")[0]} · `), chat ? facts(chat) : state.chat > 0 && words.bot),
  );
  patch(byId("model"), demo && element("span", {}, words.model(modelName(demo))));
}

/** @param {Summary} chat */
function facts(chat) {
  if (chat.typing > 0) return element("span", "accent", words.typing, element("span", { className: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i")));
  if (chat.type === "private") return words.bot;
  const forms = chat.type === "channel" ? words.subscribers : words.members;
  const role = words.statuses[chat.status];
  return [plural(chat.people, forms), role].filter(Boolean).join(" · ");
}

/** @param {Facts} demo */
function modelName(demo) {
  return demo.model_name ?? words.models[demo.model];
}

/** @param {State} state */
function showTopics(state) {
  const topics = openChat(state)?.topics ?? [];
  const nav = byId("topics");
  nav.hidden = !topics.length;
  patch(
    nav,
    ...topics.map((topic) =>
      element(
        "a",
        { href: address(state.me, state.chat, topic.id), className: "topic", "aria-current": topic.id === state.topic ? "true" : undefined, dataset: { key: String(topic.id) } },
        topic.closed && icon("lock"),
        element("span", { dir: "auto" }, topic.name || words.general),
        topic.unread > 0 && topic.id !== state.topic && element("span", { className: "unread", "aria-label": words.unread(topic.unread) }, String(topic.unread)),
      ),
    ),
  );
  reveal("topics", "[aria-current]");
}
