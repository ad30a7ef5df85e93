// The inspector, in English.

import { duration, whole } from "./numbers.js";

export const en = {
  title: "Inspector",
  answers: "Answers in this chat",
  none: "Nothing yet. Write to the bot.",
  /** @param {import("../types.js").Facts} facts @returns {string} */
  no_bot: ({ bot }) => (bot ? "" : "Of a bot of yours, requests and calls are seen."),
  storage_away: "Redis does not answer.",
  /** @param {number} value */
  seconds: (value) => duration(value, "ms", "s"),
  /** @param {number} number */
  answer: (number) => `Answer ${number}`,
  no_request: "without the model",
  in_work: "in work",
  failed: "failed",
  /** @param {number} count */
  tokens: (count) => `${whole(count)} tokens`,
  newest: "Newest",
  show_message: "Show in the chat",
  compare: "Compare with",
  compare_none: "nothing",
  copy: "Copy",
  copy_curl: "Copy as curl",
  inspect: "Look inside",
  /** @param {number} count */
  equal_lines: (count) => `${whole(count)} equal ${count === 1 ? "line" : "lines"}`,
  /** @param {number} count */
  unchanged: (count) => `${whole(count)} unchanged`,
  of_no_chat: "The request does not say which chat it is for.",

  // The sections.
  times: "Tokens and times",
  request: "Request",
  answered: "Answer as it came",
  left_out: "Left out of the history",
  history: "Redis list, before and after",
  calls: "Bot API calls",
  lane: "Lane",
  /** @param {number} one @param {number} other */
  compared: (one, other) => `Requests ${one} and ${other} compared`,

  // Tokens and times.
  first_words: "First words",
  whole: "In all",
  input: "Request",
  completion: "Answer",
  reasoning: "of it reasoning",
  room: "Room for a request",
  /** @param {number} used @param {number} most */
  of: (used, most) => `${whole(used)} of ${whole(most)}`,
  no_tokens: "The answer came without a count of tokens.",
  waiting_for_words: "The model has not answered yet.",
  /** @type {Record<string, string>} */
  ended: {
    FINAL: "complete", TRUNCATED_FINAL: "cut at the token limit", CONTENT_FILTER: "stopped by the content filter",
    PARTIAL: "broke off", UNSPECIFIED: "broke off", error: "an error",
  },
  /** @param {number} status */
  http: (status) => (status === 499 ? "the bot went away first (499)" : `HTTP ${status}`),
  answering: "being answered",

  // Request and answer.
  /** @param {number} count */
  messages: (count) => `${whole(count)} ${count === 1 ? "message" : "messages"}`,
  headers: "Headers",
  curl: "As a curl line",
  /** @param {number} bytes */
  bytes_left_out: (bytes) => `… ${whole(bytes)} bytes left out …`,
  nothing_came: "Nothing has come.",

  // Left out, and why.
  nothing_left_out: "Nothing: the model got the whole history.",
  no_history: "There was no history yet.",
  unknown_left_out: "The request is not from this list in Redis.",
  unseen_history: "Redis is not seen here.",
  /** @type {Record<string, (count: number, letters: number, budget: number | null) => string>} */
  why: {
    window: (count, letters, budget) =>
      `The oldest ${whole(count)} messages (${whole(letters)} letters) do not fit` +
      (budget === null ? "." : `: a request may have ${whole(budget)} tokens.`),
    replaced: (count) => `The last ${whole(count)} messages are being replaced: the question is asked again.`,
    unreadable: (count) => `${whole(count)} entries are not the bot's own and cannot be read.`,
    unpaired: () => "The first entry is half an exchange.",
  },
  /** @type {Record<string, string>} */
  not_sent: { window: "did not fit", replaced: "replaced", unreadable: "unreadable", unpaired: "unpaired" },

  // The list in Redis.
  not_yet: "Read once the bot is done.",
  empty_list: "The list is empty.",
  /** @param {number} before @param {number} after */
  lengths: (before, after) => `${whole(before)} → ${whole(after)} entries`,
  added: "added",
  removed: "removed",

  // Calls.
  no_calls: "None.",
  /** @param {number} count */
  calls_left_out: (count) => `${whole(count)} calls in the middle are not kept.`,
  no_answer: "no answer",
  parameters: "Parameters",
  result: "Result",
  error: "Error",

  // The lane.
  unseen_lane: "It was over too soon to be seen.",
  /** @type {Record<string, (state: { owner: string, from?: string, behind: number }) => string>} */
  states: {
    waiting: () => "waits for a worker",
    in_work: ({ owner }) => `in work at ${owner}`,
    silent: ({ owner }) => `${owner} gives no sign of life`,
    taken_over: ({ owner, from }) => `taken over by ${owner} from ${from}`,
    frozen: () => "frozen by Telegram",
    asked_again: () => "taken over, and asked again in the next answer",
    done: () => "done",
  },
  /** @param {number} count */
  claims: (count) => `claimed ${whole(count)} times`,
  /** @param {number} count */
  behind: (count) => `${whole(count)} more ${count === 1 ? "waits" : "wait"} behind it`,
};
