// Faults, in English.

export const en = {
  title: "Faults",
  intro: "Make something fail, and see that no question is lost. Everything lasts until it is healed.",
  heal: "Heal everything",
  /** @type {Record<string, string>} */
  targets: { telegram: "Telegram", model: "The model", storage: "Storage" },
  /** @type {Record<string, string>} */
  kinds: { "": "works", slow: "slow", refusing: "refuses", flooding: "says: too many requests", cutting: "cuts connections", away: "cannot be reached", silent: "does not answer" },
  /** @type {Record<string, string>} */
  parameters: { seconds: "Seconds", status: "With status", retry_after: "Try again after, in seconds" },
  workers: "Workers",
  workers_intro: "A worker is the bot itself, a process. What one that is killed or frozen has in hand is taken over by another, after 12 seconds.",
  /** @param {number} pid */
  worker: (pid) => `Process ${pid}`,
  /** @type {Record<string, string>} */
  states: { starting: "starting", running: "works", frozen: "frozen", ending: "finishes what it has in hand", killed: "was killed", ended: "has ended" },
  /** @type {Record<string, string>} */
  acts: { kill: "Kill", freeze: "Freeze", thaw: "Thaw", end: "End" },
  start: "Start a worker",
  no_worker: "no worker",
  frozen: "a worker is frozen",
  mark: "Fault: ",
  heal_short: "Heal",
  /** @param {number} place */
  busy: (place) => `The model is busy with other chats’ answers. Yours ${place === 1 ? "is next" : `is number ${place}`}.`,
};
