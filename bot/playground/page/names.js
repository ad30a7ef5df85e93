// What people and chats are called, and the round pictures that stand for them.

import { element } from "./dom.js";
import { icon } from "./icons.js";
import { words } from "./words/index.js";

/** @import { Chat, Message, Origin, Summary, User } from "./types.js" */

const COLOURS = 7;

/** @param {User} user */
export function nameOf(user) {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

/** What a chat is called by somebody who is in it. @param {Summary | Chat} chat */
export function titleOf(chat) {
  if ("with" in chat && chat.with) return nameOf(chat.with);
  return chat.title ?? chat.first_name ?? String(chat.id);
}

/** Who a message is from: a person, a bot, or a chat in whose name somebody writes. @param {Message} message */
export function authorOf(message) {
  const { sender_chat: chat, from } = message;
  if (chat) return { id: chat.id, name: titleOf(chat), bot: false };
  return { id: from?.id ?? 0, name: from ? nameOf(from) : "", bot: Boolean(from?.is_bot) };
}

/** Draws a message, or what stands for one that is badly shaped. @template T @param {() => T} draw @param {T} instead */
export function tried(draw, instead) {
  try {
    return draw();
  } catch (error) {
    console.warn(error);
    return instead;
  }
}

/** @param {Origin} origin */
export function nameOfOrigin(origin) {
  if (origin.sender_user) return nameOf(origin.sender_user);
  const chat = origin.sender_chat ?? origin.chat;
  return chat ? titleOf(chat) : (origin.sender_user_name ?? "");
}

/** The number of the colour of a person or a chat, from 0 on. @param {number} id */
export function colour(id) {
  return Math.abs(id) % COLOURS;
}

/** @param {string} name */
function initials(name) {
  const letters = name.split(/\s+/).map((word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? "");
  const [first = "", ...others] = letters.filter(Boolean);
  return (first + (others.at(-1) ?? "")).toUpperCase() || "?";
}

/** @param {{ id: number, name: string, bot?: boolean }} who */
export function avatar({ id, name, bot = false }) {
  const inside = bot ? icon("spark") : initials(name);
  return element("span", { className: `avatar tint-${colour(id)}`, "aria-hidden": "true" }, inside);
}

/** @param {Summary} chat */
export function avatarOf(chat) {
  if (chat.with) return avatar({ id: chat.with.id, name: nameOf(chat.with), bot: true });
  return avatar({ id: chat.id, name: titleOf(chat) });
}

/** What a message is about, in one line. @param {Message} message */
export function excerpt(message) {
  const text = message.text ?? message.caption;
  if (text) return text.length > 160 ? `${text.slice(0, 160)}…` : text;
  const kind = Object.keys(words.kinds).find((name) => name in message);
  const name = kind === "document" ? message.document?.file_name : undefined;
  return name ?? words.kinds[kind ?? ""] ?? tried(() => serviceText(message), words.not_shown);
}

/** What happened in the chat, if a message tells that; else nothing. @param {Message} message */
export function serviceText(message) {
  const { name } = authorOf(message);
  const told = words.service;
  if (message.new_chat_members) {
    const [first] = message.new_chat_members;
    if (first && first.id === message.from?.id) return told.joined(name);
    return told.added(name, message.new_chat_members.map(nameOf).join(", "));
  }
  if (message.left_chat_member) {
    const gone = message.left_chat_member;
    return gone.id === message.from?.id ? told.left(name) : told.removed(name, nameOf(gone));
  }
  if (message.forum_topic_created) return told.topic(message.forum_topic_created.name);
  if (message.pinned_message) return told.pinned(name);
  if (message.new_chat_title) return told.titled(name, message.new_chat_title);
  return told.plain[Object.keys(told.plain).find((kind) => kind in message) ?? ""] ?? "";
}
