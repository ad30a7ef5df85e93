// The bot's settings, in English.

export const en = {
  title: "Settings",
  intro: "They hold for all chats, until the demo ends. What a chat has chosen with /settings goes first.",
  /** @param {string} name */
  model: (name) => `Model: ${name}`,
  local: "To talk to YandexGPT, start the demo with FOLDER_ID and API_KEY in its environment. Keys are never typed into a page.",
  prompt: "System prompt",
  temperature: "Temperature, from 0 (dry) to 1 (inventive)",
  tokens: "Longest answer, in tokens",
  streaming: "How an answer grows",
  /** @type {Record<string, string>} */
  ways: { edits: "by edits of a message", drafts: "by drafts, in private", off: "not at all" },
  apply: "Apply",
  applying: "The bot starts anew with them…",
  applied: "Applied. They hold from the next question on.",
};
