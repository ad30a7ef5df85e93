// Who is in a group or channel, as what, and what can be changed of that.

import { act } from "../../chat/actions.js";
import { avatar, nameOf } from "../../names.js";
import { store } from "../../store.js";
import { words } from "../../words/index.js";
import { doing, label, row, toggle, toggles } from "./controls.js";

/** @import { Group, Member, World } from "./types.js" */

const told = words.world;

/** @param {World} world @param {Group} chat */
export function members(world, chat) {
  return chat.members.filter(({ status }) => status !== "left").map((member) => one(world, chat, member));
}

/** @param {World} world @param {Group} chat @param {Member} member */
function one(world, chat, member) {
  const { user, status, is_anonymous } = member;
  const name = nameOf(user);
  const more = [told.statuses[status] ?? status, is_anonymous && told.anonymous, user.is_bot && words.bot];
  const summary = [avatar({ id: user.id, name, bot: user.id === world.bot.id }), label(name, more.filter(Boolean).join(" · "))];
  return row(`${chat.id}/${user.id}`, summary, actions(world, chat, member));
}

/** @param {World} world @param {Group} chat @param {Member} member */
function actions(world, { id, type, members }, member) {
  const { user, status } = member;
  const who = { chat: id, user: user.id };
  const done = { ...who, ...by(members) };
  const does = (/** @type {string} */ path, /** @type {string} */ text, body = /** @type {object} */ (done)) => doing(text, nameOf(user), path, body);
  const rules = status === "creator" || status === "administrator";
  const rights = (world.rights[type] ?? []).filter((name) => name !== "can_manage_chat");
  return [
    rules && type !== "channel" && !user.is_bot &&
      toggle(told.is_anonymous, Boolean(member.is_anonymous), () => act("room/anonymous", { ...who, on: !member.is_anonymous })),
    ...(status === "administrator" ? switches(member, rights, (rights) => act("room/promote", { ...done, rights })) : []),
    ...(status === "restricted" ? switches(member, world.permissions, (permissions) => act("room/restrict", { ...done, permissions })) : []),
    (status === "member" || status === "restricted") && does("promote", told.promote),
    status === "administrator" && does("demote", told.demote),
    status !== "creator" && status !== "kicked" && !user.is_bot && does("creator", told.own, who),
    status === "member" && type === "supergroup" && does("restrict", told.restrict, { ...done, permissions: [] }),
    status === "restricted" && does("restrict", told.free, { ...done, permissions: world.permissions }),
    status === "kicked" && does(user.id === world.bot.id && type === "channel" ? "promote" : "add", told.add),
    status !== "kicked" && status !== "creator" && does("kick", told.kick),
    status !== "kicked" && !user.is_bot && does("leave", told.leave, who),
  ];
}

/** Switches for what somebody may do. @param {Member} member @param {string[]} all @param {(granted: string[]) => unknown} change */
function switches(member, all, change) {
  return toggles(all, all.filter((name) => member[name] === true), change);
}

/** Who does it: oneself as an administrator, else an anonymous one. @param {Member[]} members */
export function by(members) {
  const { me } = store.state;
  const mine = members.find(({ user }) => user.id === me);
  return mine && ["creator", "administrator"].includes(mine.status) ? { by: me } : {};
}
