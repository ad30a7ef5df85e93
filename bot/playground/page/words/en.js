// English.

import { en as faults } from "./faults.js";
import { en as inspector } from "./inspector.js";
import { en as settings } from "./settings.js";
import { en as world } from "./world.js";

const MIGRATED = "The group became a supergroup";

export const english = {
  title: "Playground",
  today: "Today",
  yesterday: "Yesterday",
  units: ["B", "KB", "MB"],

  // The chats and the people.
  chats: "Chats",
  search: "Search",
  none_found: "No chat of that name.",
  speakers: "Who you are",
  /** @param {string} name */
  be: (name) => `Be ${name}`,
  you: "You",
  /** @param {number} count */
  unread: (count) => `${count} unread`,
  /** @type {Record<string, string>} */
  members: { one: "member", other: "members" },
  /** @type {Record<string, string>} */
  subscribers: { one: "subscriber", other: "subscribers" },
  bot: "bot",
  no_messages: "No messages yet",
  draft: "Draft:",
  back: "Back to the chats",
  topics: "Topics",
  general: "General",
  /** @type {Record<string, string>} */
  statuses: { creator: "you own it", administrator: "you are an admin", restricted: "you are restricted" },

  // What is above a chat.
  /** @param {string} name */
  model: (name) => `Model: ${name}`,
  models: { local: "SmolLM2, on this machine", missing: "none", yandexgpt: "YandexGPT" },
  menu: "Menu",
  theme: "Theme",
  /** @type {Record<string, string>} */
  themes: { system: "As the system", light: "Light", dark: "Dark" },
  language: "Language",
  shortcuts: "Keyboard shortcuts",
  inside: "Look inside",

  // The first screen.
  hello: "This is Telegram on your own machine.",
  hello_bot: "Write to the bot, or try one of these:",
  hello_group: "In a group the bot answers those who mention it or reply to it.",
  /** @param {import("../types.js").Facts} facts */
  about: ({ about }) => about,

  /** What stands for a message without a text. @type {Record<string, string>} */
  kinds: {
    photo: "Photo", video: "Video", video_note: "Video message", voice: "Voice message", audio: "Audio",
    animation: "GIF", sticker: "Sticker", document: "File", venue: "Place", location: "Location", contact: "Contact",
    poll: "Poll", dice: "Dice",
  },
  service: {
    /** @param {string} name */
    joined: (name) => `${name} joined the group`,
    /** @param {string} by @param {string} who */
    added: (by, who) => `${by} added ${who}`,
    /** @param {string} name */
    left: (name) => `${name} left the group`,
    /** @param {string} by @param {string} who */
    removed: (by, who) => `${by} removed ${who}`,
    /** @param {string} name */
    topic: (name) => `The topic “${name}” was opened`,
    /** @type {Record<string, string>} */
    plain: {
      forum_topic_closed: "The topic was closed", forum_topic_reopened: "The topic was opened again",
      forum_topic_edited: "The topic was changed", general_forum_topic_hidden: "The topic was hidden",
      general_forum_topic_unhidden: "The topic is shown again",
      migrate_to_chat_id: MIGRATED, migrate_from_chat_id: MIGRATED,
    },
    /** @param {string} name */
    pinned: (name) => `${name} pinned a message`,
    /** @param {string} name @param {string} title */
    titled: (name, title) => `${name} called the group “${title}”`,
  },

  // A chat.
  chat: "Chat",
  messages: "Messages",
  not_shown: "A message that cannot be shown",
  earlier: "Show earlier messages",
  to_end: "To the newest message",
  typing: "typing",
  thinking: "Thinking…",
  stop: "Stop",
  edited: "edited",
  sent: "Sent",
  taken: "Received by the bot",
  enlarge: "Show this picture large",
  reveal: "Show",
  play: "Play",
  pause: "Pause",
  place: "Place in the recording",
  poll: {
    quiz: "Quiz",
    closed: "Closed poll",
    /** @param {number} count */
    votes: (count) => (count ? `Votes: ${count}` : "No votes yet"),
  },
  as_media: "Photo, video or music",
  spoiler: "Hidden text: press to show",
  all: "Show all",
  /** @param {string} name */
  forwarded: (name) => `Forwarded from ${name}`,
  via: "via",
  copied: "Copied",
  not_copied: "The browser does not let the page copy",
  not_here: "The page cannot do that",
  write_where: "Write in which chat?",
  choose_group: "Add the bot to which group?",
  bot_says: "The bot says",
  reply: "Reply",
  edit: "Edit",
  copy: "Copy text",
  remove: "Delete",
  forward: "Forward",
  forward_where: "Forward to which chat?",
  more: "What to do with this message",
  away: "The demo does not answer. Once it runs again, so does this page.",
  /** @param {string} why */
  refused: (why) => `Not sent: ${why}`,
  /** @param {string} why */
  failed: (why) => `That did not work: ${why}`,
  close: "Close",
  ok: "OK",

  // What one writes.
  write: "Message",
  send: "Send",
  attach: "Attach a file",
  detach: "Do not send this file",
  commands: "Commands",
  keyboard: "The bot's keyboard",
  cancel: "Cancel",
  /** @param {string} name */
  replying: (name) => `Reply to ${name}`,
  editing: "Edit message",
  no_writing: "You cannot write here",
  /** @param {number} count */
  suggestions: (count) => `${count} suggestions: choose one with the arrows and Enter`,

  /** @type {[string, string][]} */
  keys: [
    ["Enter", "Send"],
    ["Shift Enter", "A new line"],
    ["ArrowUp", "Edit your last message (in an empty field)"],
    ["Escape", "Cancel a reply or an edit, close what is open"],
    ["/", "Commands"],
    ["@", "Mention somebody"],
    ["Ctrl K", "Find a chat"],
    ["Alt ArrowUp", "The chat above"],
    ["Alt ArrowDown", "The chat below"],
    ["ArrowUp ArrowDown", "From message to message; Enter opens the menu"],
    ["Ctrl /", "This list; outside of fields, ? as well"],
  ],

  faults,
  inspector,
  settings,
  world,
};
