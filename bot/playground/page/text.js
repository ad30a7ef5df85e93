// A Telegram text on a page: entities become elements, characters stay characters.

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

/** Makes an element; children are nodes or strings, and a string is never read as HTML. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Renders a Bot API text with its entities, whose offsets count UTF-16 units as JavaScript does. */
export function formatted(text, entities = []) {
  const outermostFirst = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodes(text, 0, text.length, outermostFirst);
}

function nodes(text, start, end, entities) {
  const made = [];
  let at = start;
  for (let i = 0; i < entities.length; ) {
    const entity = entities[i];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    let next = i + 1;
    while (next < entities.length && entities[next].offset < to) next += 1;
    if (from < to) {
      made.push(text.slice(at, from));
      made.push(wrapped(entity, nodes(text, from, to, entities.slice(i + 1, next)), text.slice(from, to)));
      at = to;
    }
    i = next;
  }
  made.push(text.slice(at, end));
  return made;
}

function wrapped(entity, inside, text) {
  if (entity.type in TAGS) {
    const made = element(TAGS[entity.type], {}, ...inside);
    if (entity.language) made.dataset.language = entity.language;
    return made;
  }
  const address = { text_link: entity.url, url: text }[entity.type];
  if (address && /^https?:\/\//i.test(address)) {
    return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...inside);
  }
  return element("span", { className: entity.type === "spoiler" ? "spoiler" : "accent" }, ...inside);
}
