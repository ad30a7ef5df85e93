// The list of chats at the left, and who one is.

import { byId, element, patchList } from "../dom.js";
import { icon } from "../icons.js";
import { authorOf, avatar, avatarOf, excerpt, nameOf, titleOf } from "../names.js";
import { address, become } from "../route.js";
import { store } from "../store.js";
import { placeOf } from "./drafts.js";
import { when, words } from "../words/index.js";

/** @import { Message, State, Summary, User } from "../types.js" */

const search = /** @type {HTMLInputElement} */ (byId("search"));

export function mountList() {
  byId("list-title").textContent = words.chats;
  store.subscribe(["people", "me"], showPeople);
  store.subscribe(["chats", "me", "chat", "demo", "bot", "written"], showChats);
  search.oninput = () => showChats(store.state);
  search.onkeydown = (event) => {
    const first = event.key === "Enter" && !event.isComposing && byId("chats").querySelector("a");
    if (first) openFound(first);
  };
}

/** @param {HTMLElement} link */
function openFound(link) {
  link.click();
  search.value = "";
  showChats(store.state);
  byId("text").focus();
}

/** @param {State} state */
function showPeople({ people, me }) {
  patchList(byId("speakers"), people, {
    key: ({ id }) => id,
    depends: (person) => [nameOf(person), person.id === me],
    make: (person) => speaker(person, person.id === me),
  });
  reveal("speakers", "[aria-pressed=true]");
}

/** What was scrolled into sight last, by list. @type {Map<string, string | undefined>} */
const revealed = new Map();

/** Scrolls what is chosen in a list into sight, once. @param {string} list @param {string} chosen */
export function reveal(list, chosen) {
  const found = /** @type {HTMLElement | null} */ (byId(list).querySelector(chosen)?.closest("[data-key]"));
  const key = found?.dataset.key;
  if (key === revealed.get(list) || (found && !found.offsetParent)) return;
  revealed.set(list, key);
  found?.scrollIntoView({ block: "nearest" });
}

/** @param {User} person @param {boolean} chosen */
function speaker(person, chosen) {
  const name = nameOf(person);
  return element(
    "button",
    { className: "speaker", "aria-pressed": String(chosen), title: words.be(name), onclick: () => become(person.id) },
    avatar({ id: person.id, name }),
    element("span", { dir: "auto" }, name),
  );
}

/** @param {State} state */
function showChats(state) {
  const wanted = search.value.trim().toLowerCase();
  const chats = shown(state).filter((chat) => titleOf(chat).toLowerCase().includes(wanted));
  byId("none-found").textContent = words.none_found;
  byId("none-found").hidden = chats.length > 0;
  patchList(byId("chats"), chats, {
    key: ({ id }) => id,
    depends: (chat) => [JSON.stringify({ ...chat, typing: chat.typing > 0 }), chat.id === state.chat, state.me, draftOf(chat, state)],
    make: (chat) => item(chat, state),
  });
  reveal("chats", "[aria-current]");
}

/** The chats, of which the private one with the bot is always there. @param {State} state */
function shown({ chats, me, demo, bot }) {
  if (!demo || chats.some((chat) => chat.id === me)) return chats;
  /** @type {Summary} */
  const own = { id: me, type: "private", with: bot, last: null, unread: 0, typing: 0, people: 2, status: "member", bot: "member", may_write: true };
  return [own, ...chats];
}

/** @param {Summary} chat @param {State} state */
function item(chat, state) {
  const open = chat.id === state.chat;
  const link = element(
    "a",
    { href: address(state.me, chat.id), className: "chat-item", "aria-current": open ? "true" : undefined },
    avatarOf(chat),
    element(
      "span",
      "chat-title",
      chat.is_forum ? icon("menu") : chat.type === "channel" && icon("megaphone"),
      element("span", { dir: "auto" }, titleOf(chat)),
    ),
    chat.last && element("time", "chat-time", when(chat.last.date)),
    chat.typing > 0
      ? element("span", "chat-last accent", words.typing)
      : element("span", { className: "chat-last", dir: "auto" }, ...lastLine(chat, state)),
    chat.unread > 0 && element("span", { className: "unread", "aria-label": words.unread(chat.unread) }, chat.unread > 99 ? "99+" : String(chat.unread)),
  );
  return element("li", {}, link);
}

/** What one has begun to write in a chat that is not open. @param {Summary} chat @param {State} state */
function draftOf(chat, state) {
  if (chat.id === state.chat) return undefined;
  const places = (chat.topics ?? [{ id: 0 }]).map(({ id }) => placeOf({ ...state, chat: chat.id, topic: id }));
  return places.map((place) => state.written.get(place)).find(Boolean);
}

/** @param {Summary} chat @param {State} state */
function lastLine(chat, state) {
  const { last } = chat;
  const { me } = state;
  const begun = draftOf(chat, state);
  if (begun) return [element("span", "chat-draft", `${words.draft} `), begun.slice(0, 100)];
  if (!last) return [words.no_messages];
  const said = excerpt(last);
  if (chat.type === "channel" || !(last.text ?? last.caption)) return [said];
  if (last.from?.id === me) return [element("span", "chat-author", `${words.you}: `), said];
  return chat.type === "private" ? [said] : [element("span", "chat-author", `${firstName(last)}: `), said];
}

/** @param {Message} message */
function firstName(message) {
  return message.from?.first_name ?? authorOf(message).name;
}
