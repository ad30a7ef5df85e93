// The page's icons: lines on a square of 24.

/** @type {Record<string, string>} */
const LINES = {
  send: "M4.5 12 3 4.5 21 12 3 19.5 4.5 12ZM4.5 12H12",
  attach: "M20.5 11.5 12 20a5.6 5.6 0 0 1-8-8l8.7-8.6a3.8 3.8 0 0 1 5.4 5.4l-8.6 8.5a1.9 1.9 0 0 1-2.7-2.7l7.9-7.8",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  reply: "M9 6 3.5 11.5 9 17M3.5 11.5H14a6.5 6.5 0 0 1 6.5 6.5v1",
  forward: "M15 6l5.5 5.5L15 17M20.5 11.5H10A6.5 6.5 0 0 0 3.5 18v1",
  edit: "M4 20l1-4.5L16.5 4a2.1 2.1 0 0 1 3 3L8 18.8 4 20Z",
  copy: "M9 9h11v11H9ZM5 15H4V4h11v1",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  menu: "M4 7h16M4 12h16M4 17h16",
  panel: "M4 5h16v14H4ZM14.5 5v14",
  stop: "M7 7h10v10H7Z",
  check: "M4.5 12.5l5 5L19.5 7",
  checks: "M1.5 12.5l5 5L16 7M12 16.5l1 1L22.5 7",
  down: "M6 9l6 6 6-6",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM16 16l4.5 4.5",
  file: "M6 3h8l4 4v14H6ZM14 3v4h4",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  slash: "M4 4h16v16H4ZM14 8l-4 8",
  link: "M7 17 17 7M9 7h8v8",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20a7.5 7.5 0 0 1 15 0",
  pin: "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11ZM12 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  spark: "M12 3l2.1 6.1L20.5 12l-6.4 2.9L12 21l-2.1-6.1L3.5 12l6.4-2.9L12 3Z",
  keyboard: "M3 6h18v12H3ZM7 10v.01M11 10v.01M15 10v.01M8 14h8",
  megaphone: "M4 10v4h3l9 5V5l-9 5H4ZM19.5 9.5a4 4 0 0 1 0 5",
  play: "M8 5.5v13l11-6.5L8 5.5Z",
  pause: "M8 6v12M16 6v12",
  picture: "M4 5h16v14H4ZM4 16l5-5 4 4 3-3 4 4M15.5 9.5v.01",
  voice: "M12 3.5a3 3 0 0 0-3 3V11a3 3 0 0 0 6 0V6.5a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  lock: "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
};

const SVG = "http://www.w3.org/2000/svg";

/** Draws an icon, which says nothing to a screen reader. @param {string} name */
export function icon(name) {
  return drawing({ viewBox: "0 0 24 24", class: `icon icon-${name}` }, "path", { d: LINES[name] ?? "" });
}

/** Draws one shape in a picture that says nothing to a screen reader. @param {object} attributes @param {"path" | "rect"} shape @param {object} inside */
export function drawing(attributes, shape, inside) {
  return svg("svg", { ...attributes, "aria-hidden": "true" }, svg(shape, inside));
}

/** @param {string} tag @param {object} attributes @param {Node[]} children */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
