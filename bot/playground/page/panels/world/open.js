// The chat that is open: its members, what they may do, its topics; in private, its person.

import { act } from "../../chat/actions.js";
import { call } from "../../api.js";
import { element } from "../../dom.js";
import { titleOf } from "../../names.js";
import { open } from "../../route.js";
import { store } from "../../store.js";
import { words } from "../../words/index.js";
import { button, changed, facts, field, select } from "../controls.js";
import { doing, form, input, label, row, toggles } from "./controls.js";
import { by, members } from "./members.js";

/** @import { Group, Person, World } from "./types.js" */

const told = words.world;
const SLOW = [0, 10, 30, 60, 300, 900, 3600];

/** @param {World} world */
export function openChat(world) {
  const chat = world.chats.find(({ id }) => id === store.state.chat);
  if (chat) return [heading(chat), ...group(world, chat)];
  const person = world.people.find(({ id }) => id === store.state.chat);
  return person ? [element("h2", {}, told.kinds.private), blocking(person)] : [];
}

/** @param {Group} chat */
function heading(chat) {
  const kind = told.kinds[chat.is_forum ? "forum" : chat.type];
  return element("h2", { dir: "auto" }, titleOf(chat), element("span", "world-kind", `${kind} ${chat.id}`));
}

/** @param {Person} person */
export function blocking({ id, first_name: name, has_blocked: blocked }) {
  return doing(blocked ? told.unblock : told.block, name, blocked ? "unblock" : "block", { user: id });
}

/** @param {World} world @param {Group} chat */
function group(world, chat) {
  const { id, type } = chat;
  const allowed = toggles(world.permissions, chat.permissions, (permissions) => act("room/permissions", { chat: id, permissions }));
  return [
    element("h3", {}, told.members),
    ...members(world, chat),
    adding(world, chat),
    type !== "channel" && row(`permissions/${id}`, [label(told.permissions)], allowed),
    ...(type === "supergroup" ? [slowness(chat), ...topics(chat)] : []),
    ...(type === "group" && chat.successor === null ? migration(chat) : []),
  ];
}

/** @param {World} world @param {Group} chat */
function adding(world, { id: chat, type, members }) {
  const here = new Set(members.filter(({ status }) => status !== "left").map(({ user }) => user.id));
  const others = [world.bot, ...world.people.filter((each) => !each.is_deleted)].filter(({ id }) => !here.has(id));
  if (!others.length) return facts(told.nobody_left);
  const whom = field(told.add_whom, select(others.map(({ id, first_name: name }) => [id, name]), { name: "user" }));
  return form(told.add, [whom], told.add, ({ user }) => {
    // Bots are in channels as administrators only.
    const isBot = type === "channel" && Number(user) === world.bot.id;
    return act(isBot ? "room/promote" : "room/add", { chat, user: Number(user), ...by(members) });
  }, `add/${chat}`);
}

/** @param {Group} chat */
function slowness({ id: chat, slow_mode: now }) {
  const all = SLOW.includes(now) ? SLOW : [...SLOW, now];
  const onchange = changed((seconds) => void act("room/slow_mode", { chat, seconds: Number(seconds) }));
  return field(told.slow, select(all.map((seconds) => [seconds, told.every(seconds)]), { "data-value": now, onchange }));
}

/** @param {Group} chat */
function topics({ id: chat, topics: all }) {
  const rows = all.map(({ id: topic, name: given, closed }) => {
    const name = given || words.general;
    const does = (/** @type {string} */ path, /** @type {string} */ text) => doing(text, name, path, { chat, topic });
    return element(
      "div",
      { className: "world-line", "data-key": `topic/${topic}` },
      label(name),
      closed ? does("reopen_topic", told.reopen) : does("close_topic", words.close),
      topic > 1 && does("delete_topic", words.remove),
    );
  });
  const name = input(told.topic_name, "name", { required: true, maxLength: 128 });
  return [
    element("h3", {}, words.topics),
    ...rows,
    form(told.open_topic, [name], told.open_topic, (given) => act("room/open_topic", { chat, name: given.name }), `topic/${chat}`),
  ];
}

/** @param {Group} chat */
function migration({ id }) {
  const migrate = async () => {
    const chat = await call("room/migrate", { chat: id }).catch(() => null);
    if (chat !== null && store.state.chat === id) open(store.state.me, chat);
  };
  return [facts(told.migrate_why), button(told.migrate, migrate)];
}
