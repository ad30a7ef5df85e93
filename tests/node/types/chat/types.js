// What the modules of the chat give each other.

/**
 * @import { Draft, Message } from "../types.js"
 *
 * @typedef {object} Look how a message is shown
 * @property {boolean} own
 * @property {boolean} first of several by one author
 * @property {boolean} last of them
 * @property {boolean | null} taken whether the bot has it; null for what is not one's own
 * @property {(id: number) => void} jump
 *
 * @typedef {{ kind: "day", key: string, text: string }
 *   | { kind: "message", key: string, message: Message, first: boolean, last: boolean }
 *   | { kind: "draft", key: string, draft: Draft }} Row
 *
 * @typedef {{ icon: string, label: string, act: () => void }} Item of a menu
 *
 * @typedef {object} Context what the elements of a text do
 * @property {string} id tells texts apart, for what was opened in them
 * @property {(text: string) => void} [command]
 * @property {(name: string) => void} [mention]
 * @property {(url: string) => void} [visit]
 * @property {(text: string) => void} [copy]
 *
 * @typedef {{ text: string, about: string, choose: () => void }} Suggestion
 *
 * @typedef {{ file: File, kind: string }} Attached
 * @typedef {Record<string, string | number | undefined>} Fields of what is sent with a file
 * @typedef {{ text: string, replying: Message | null, editing: Message | null, files: Attached[] }} Written
 */

export {};
