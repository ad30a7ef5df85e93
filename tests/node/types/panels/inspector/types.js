// What /demo/answers and /demo/answer tell.

/**
 * @typedef {{ input: number, completion: number, total: number, reasoning: number }} Tokens
 *
 * @typedef {object} Asked what a request to the model came to
 * @property {number} time
 * @property {number | null} status of HTTP; null while it is answered
 * @property {string | null} model
 * @property {number} messages
 * @property {number | null} first_words seconds until the first words
 * @property {number | null} took seconds in all
 * @property {string | null} ended the status of the last line, or "error"
 * @property {Tokens | null} tokens
 * @property {string} [error]
 *
 * @typedef {object} LaneState
 * @property {number} time
 * @property {"waiting" | "in_work" | "silent" | "taken_over" | "frozen" | "asked_again" | "done"} state
 * @property {string} owner
 * @property {string} [from] from whom it was taken over
 * @property {number} claims
 * @property {number} behind
 *
 * @typedef {object} Answer
 * @property {number} number
 * @property {number | null} chat null if the request does not say which
 * @property {number} topic
 * @property {number} time
 * @property {boolean} over
 * @property {{ kind: string, message_id: number | null, text: string }} question
 * @property {Asked | null} asked null if the model was not asked
 * @property {number} calls
 * @property {number[]} messages
 * @property {LaneState | null} lane
 *
 * @typedef {object} Call
 * @property {number} time
 * @property {string} method
 * @property {Record<string, unknown>} parameters
 * @property {boolean} ok
 * @property {unknown} [result]
 * @property {unknown} [error]
 * @property {number} [took] missing while it is answered
 * @property {number | null} [status] null if it got no answer
 *
 * @typedef {{ why: "window" | "replaced" | "unreadable" | "unpaired", first: number, count: number,
 *   letters: number }} LeftOut
 *
 * @typedef {object} More what a full answer has besides
 * @property {{ url: string, headers: Record<string, string>, body: unknown, curl: string } | null} request
 * @property {{ head: string, tail: string, left_out: number } | null} answer
 * @property {{ before: string[] | null, after: string[] | null }} history
 * @property {LeftOut[] | null} left_out null if that cannot be said
 * @property {{ window: number, max_tokens: number, budget: number } | null} budget
 * @property {Call[]} calls
 * @property {number} calls_left_out
 * @property {LaneState[]} lane
 *
 * @typedef {Omit<Answer, "calls" | "lane"> & More} Full
 *
 * @typedef {object} Known
 * @property {readonly Answer[]} answers oldest first
 * @property {"none" | "there" | "away"} storage
 * @property {number} chosen the number of the answer that is looked at; 0 is the newest
 * @property {number} other the number of the one that it is compared with; 0 is none
 * @property {Full | null} full the one that is looked at
 * @property {Full | null} compared
 * @property {ReadonlySet<string>} open the sections that are open
 *
 * @typedef {object} Section
 * @property {string} name
 * @property {string} title
 * @property {string} facts what is told beside the title
 * @property {readonly unknown[]} depends
 * @property {() => import("../../dom.js").Child[]} make makes the content, once it is open
 */

export {};
