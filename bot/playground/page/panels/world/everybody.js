// Everybody there is, and how to make people, bots and chats.

import { act } from "../../chat/actions.js";
import { ask } from "../../chat/dialog.js";
import { element } from "../../dom.js";
import { avatar } from "../../names.js";
import { become, open } from "../../route.js";
import { store } from "../../store.js";
import { language, words } from "../../words/index.js";
import { button, facts, field, select } from "../controls.js";
import { box, form, input, label, row, toggle } from "./controls.js";
import { blocking } from "./open.js";

/** @import { Person, World } from "./types.js" */

const told = words.world;
const LANGUAGES = ["en", "ru", "de", "es", "uk"];
const FIRST_PERSON = 201;
const FIRST_GROUP = -700;
const FIRST_SUPERGROUP = -1_000_000_007_000;
const SUPERGROUPS = -1_000_000_000_000; // ids at and below it are supergroups and channels

/** @param {World} world */
export function everybody(world) {
  const asked = [...factsOf(), box(told.is_bot, "is_bot", false)];
  return [
    element("h2", {}, told.people),
    ...world.people.map(one),
    row("new-person", [label(told.new_person)], [form(told.new_person, asked, told.make, (given) => makePerson(world, given))]),
    element("h2", {}, told.new_chat),
    newChat(world),
    element("h2", {}, told.the_bot),
    toggle(told.privacy, world.privacy, () => act("room/privacy", { on: !world.privacy })),
    facts(told.privacy_why),
  ];
}

/** @param {Person} person */
function one(person) {
  const { id, first_name: name, username, is_bot: isBot } = person;
  const more = [username && `@${username}`, isBot && words.bot, person.has_blocked && told.blocked, person.is_deleted && told.deleted];
  const summary = [avatar({ id, name }), label(name, more.filter(Boolean).join(" · "))];
  if (person.is_deleted) return element("div", { className: "world-line", "data-key": `person/${id}` }, ...summary);
  return row(`person/${id}`, summary, [
    form(`${told.save}: ${name}`, factsOf(person), told.save, (given) => keep(id, given, Boolean(isBot))),
    ...(isBot ? [] : [button(told.be, () => become(id)), blocking(person), button(told.erase, () => erase(id))]),
  ]);
}

/** @param {Person} [person] */
function factsOf({ first_name: name = "", username = "", language_code: code = "en" } = /** @type {Person} */ ({})) {
  const named = new Intl.DisplayNames(language, { type: "language", fallback: "code" });
  const languages = [...new Set([...LANGUAGES, code])];
  return [
    input(told.name, "name", { value: name, defaultValue: name, required: true, maxLength: 64 }),
    usernameOf(username),
    field(told.speaks, select(languages.map((each) => [each, nameIn(named, each)]), { name: "language", "data-value": code })),
  ];
}

/** @param {string} [username] */
function usernameOf(username = "") {
  return input(told.username, "username", { value: username, defaultValue: username, placeholder: told.without_at, pattern: "[A-Za-z][A-Za-z0-9_]{3,31}" });
}

/** Names a language; a code that is none names itself. @param {Intl.DisplayNames} named @param {string} code */
function nameIn(named, code) {
  try {
    return named.of(code) ?? code;
  } catch {
    return code;
  }
}

/** @param {World} world @param {Record<string, string>} given */
function makePerson(world, { is_bot: isBot, ...given }) {
  const id = Math.max(FIRST_PERSON - 1, ...world.people.map((person) => person.id)) + 1;
  return keep(id, given, isBot === "on");
}

/** Saves what somebody is called; the form stays as it was filled in. @param {number} user @param {Record<string, string>} given @param {boolean} isBot */
function keep(user, given, isBot) {
  return act("room/person", { user, is_bot: isBot, ...given });
}

/** @param {number} user */
async function erase(user) {
  const sure = await ask(told.erase_sure, [{ label: told.erase, value: true }, { label: words.cancel, value: false }]);
  if (sure) await act("room/deactivate", { user });
}

/** @param {World} world */
function newChat(world) {
  const kinds = ["group", "supergroup", "forum", "channel"];
  const fields = [
    field(told.kind, select(kinds.map((kind) => [kind, told.kinds[kind] ?? kind]), { name: "kind" })),
    input(told.chat_title, "title", { required: true, maxLength: 128 }),
    usernameOf(),
    box(told.with_bot, "bot", true),
  ];
  return form(told.new_chat, fields, told.make, (given) => makeChat(world, given));
}

/** Makes a chat, with oneself as its owner, and opens it. @param {World} world @param {Record<string, string>} given */
async function makeChat(world, { kind, title, username, bot }) {
  const isGroup = kind === "group";
  const first = isGroup ? FIRST_GROUP : FIRST_SUPERGROUP;
  const same = world.chats.map(({ id }) => id).filter((id) => id > SUPERGROUPS === isGroup);
  const chat = Math.min(first + 1, ...same) - 1;
  const { me } = store.state;
  const isWanted = bot === "on";
  if (!(await act("room/chat", { chat, kind, title, username, bot: isWanted }))) return false;
  await act("room/creator", { chat, user: me });
  if (isWanted && kind === "channel") await act("room/promote", { chat, by: me });
  open(me, chat);
  return true;
}
