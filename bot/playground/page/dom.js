// Elements of the page: made once, then changed in place, so that focus, selection and scrolling stay.

/** @typedef {Node | string | null | undefined | boolean} Child what is no node and no text is left out */

const HANDLERS = /** @type {const} */ (["onclick", "ondblclick", "oncontextmenu", "onchange", "oninput", "onkeydown", "onload"]);

/**
 * Makes an element. A property named with a hyphen, `role` or `for` is an attribute; a child that is
 * a string is text, never HTML. A string in place of the properties is the class. A button submits
 * no form unless its `type` says so.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, unknown> | string} [given]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  const properties = typeof given === "string" ? { className: given } : given;
  if (made instanceof HTMLButtonElement) made.type = "button";
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, String(value));
    else Object.assign(made, { [name]: value });
  }
  made.append(...children.filter(isThere));
  return made;
}

/** @param {Child} child @returns {child is Node | string} */
function isThere(child) {
  return child instanceof Node || (typeof child === "string" && child !== "");
}

/** Returns the element of the page with this id, which is in index.html. @param {string} id */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/**
 * Gives an element these children, changing those it has in place. Children with `data-key` keep
 * their identity. A handler may outlive the elements it was made with, so it finds others by the
 * event's currentTarget.
 *
 * @param {Element} parent
 * @param {Child[]} children
 */
export function patch(parent, ...children) {
  const fresh = document.createElement("div");
  fresh.append(...children.filter(isThere));
  morphChildren(parent, fresh);
}

/**
 * Shows a list: one element for each item, made anew only if what it depends on has changed.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string | number, depends: (item: T) => readonly unknown[],
 *   make: (item: T) => HTMLElement }} how
 */
export function patchList(parent, items, { key, depends, make }) {
  const known = new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const now = depends(item);
    const old = known.get(name);
    const before = old && made.get(old);
    if (old && before && before.length === now.length && before.every((value, at) => value === now[at])) return old;
    const fresh = make(item);
    fresh.dataset.key = name;
    const shown = old ? morph(old, fresh) : fresh;
    made.set(shown, now);
    return shown;
  });
  order(parent, wanted);
}

/** What the elements of lists were made of. @type {WeakMap<Node, readonly unknown[]>} */
const made = new WeakMap();

/** Puts the nodes into the parent in this order, without touching those in place. @param {Element} parent @param {Node[]} wanted */
function order(parent, wanted) {
  const focused = document.activeElement;
  const stays = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!stays.has(child)) child.remove();
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  // What is moved loses the focus.
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

/** Makes a node like a fresh one, in place if it can be; returns the one that is there now. @param {ChildNode} old @param {ChildNode} fresh */
function morph(old, fresh) {
  if (old instanceof Text && fresh instanceof Text) {
    rewrite(old, fresh.data);
    return old;
  }
  if (!(old instanceof Element && fresh instanceof Element && old.tagName === fresh.tagName)) {
    old.replaceWith(fresh);
    return fresh;
  }
  if (isStill(old, fresh)) return old;
  morphAttributes(old, fresh);
  morphChildren(old, fresh);
  return old;
}

/** Elements with the same `data-still` are left as they are: what plays goes on. @param {Element} old @param {Element} fresh */
function isStill(old, fresh) {
  const name = old instanceof HTMLElement ? old.dataset.still : undefined;
  return name !== undefined && fresh instanceof HTMLElement && fresh.dataset.still === name;
}

/** Changes a text; what is only longer keeps its selection. @param {Text} node @param {string} data */
function rewrite(node, data) {
  if (data === node.data) return;
  if (data.startsWith(node.data)) node.appendData(data.slice(node.length));
  else node.data = data;
}

/** @param {Element} old @param {Element} fresh */
function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old instanceof HTMLDetailsElement)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (!(old instanceof HTMLElement && fresh instanceof HTMLElement)) return;
  for (const name of HANDLERS) if (old[name] !== fresh[name]) old[name] = /** @type {any} */ (fresh[name]);
  if (old instanceof HTMLButtonElement) old.disabled = fresh.hasAttribute("disabled");
}

/** @param {Element} old @param {Element} fresh */
function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) {
    const { key } = /** @type {HTMLElement} */ (child).dataset;
    if (key !== undefined) keyed.set(key, child);
  }
  const loose = [...old.childNodes].filter((child) => !(child instanceof Element && keyed.has(keyOf(child))));
  const wanted = [...fresh.childNodes].map((child) => {
    const key = keyOf(child);
    const same = key === undefined ? loose.shift() : keyed.get(key);
    return same ? morph(same, child) : child;
  });
  order(old, wanted);
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof HTMLElement ? node.dataset.key : undefined;
}
