// What a panel is.

/**
 * `served` tells whether the demo has what it needs; a panel without it is always there. `mount` fills an
 * empty element and returns what ends that; it is called when the panel is opened.
 *
 * @typedef {{
 *   id: "faults" | "inspector" | "settings" | "world",
 *   served?: (facts: import("../types.js").Facts) => boolean,
 *   mount: (root: HTMLElement, store: import("../store.js").Store) => () => void,
 * }} Panel
 */

export {};
