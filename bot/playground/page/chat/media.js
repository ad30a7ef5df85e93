// What a message has besides its text: files, pictures, players, places, polls.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { store } from "../store.js";
import { size, words } from "../words/index.js";
import { act } from "./actions.js";
import { openDialog } from "./dialog.js";
import { length, player } from "./player.js";

/** @import { File, Location, Message, Poll } from "../types.js" */

const WIDEST = 400; // pixels of a picture in a bubble
const HIGHEST = 420;
const PIPS = ["5", "19", "159", "1379", "13579", "134679"]; // which of nine spots a die's sides have

/** Draws what a message has besides its text; null if there is nothing. @param {Message} message */
export function media(message) {
  const made = drawn(message);
  if (made) made.dataset.key = "media";
  return made;
}

/** @param {Message} message @returns {HTMLElement | null} */
function drawn(message) {
  const spoiler = Boolean(message.has_media_spoiler);
  if (message.photo) return photo(/** @type {File} */ (message.photo.at(-1)), spoiler);
  if (message.animation) return moving(message.animation, spoiler, true);
  if (message.video) return moving(message.video, spoiler, false);
  if (message.video_note) return round(message.video_note);
  if (message.sticker) return sticker(message.sticker);
  if (message.voice) return player(message.voice, words.kinds.voice ?? "");
  if (message.audio) return audio(message.audio);
  if (message.document) return document_(message.document);
  if (message.venue) return place(message.venue.location, message.venue.title, message.venue.address);
  if (message.location) return place(message.location, words.kinds.location ?? "", coordinates(message.location));
  if (message.contact) return contact(message.contact);
  if (message.poll) return poll(message, message.poll);
  if (message.dice) return dice(message.dice);
  return null;
}

/** @param {File} file */
export function address(file) {
  return `room/file?id=${encodeURIComponent(file.file_id)}`;
}

/** @param {File} file @param {boolean} spoiler */
function photo(file, spoiler) {
  const image = element("img", { src: address(file), alt: words.kinds.photo, loading: "lazy", draggable: false });
  fit(image, file);
  return covered(file, spoiler, element("button", { className: "picture", "aria-label": words.enlarge, onclick: () => enlarge(file) }, image));
}

/** Shows a picture as large as the window. @param {File} file */
function enlarge(file) {
  const made = openDialog(words.kinds.photo ?? "", [element("img", { src: address(file), alt: words.kinds.photo })]);
  made.classList.add("viewer");
}

/** @param {File} file @param {boolean} spoiler @param {boolean} silent whether it plays by itself, again and again */
function moving(file, spoiler, silent) {
  const isPicture = file.mime_type?.startsWith("image/");
  const made = isPicture
    ? element("img", { src: address(file), alt: words.kinds.animation })
    : element("video", { src: address(file), controls: !silent, loop: silent, autoplay: silent, muted: silent, preload: "metadata", "aria-label": silent ? words.kinds.animation : words.kinds.video });
  fit(made, file);
  return covered(file, spoiler, made);
}

/** @param {File} file */
function round(file) {
  return element("video", { className: "round", src: address(file), controls: true, preload: "metadata", "aria-label": words.kinds.video_note, dataset: { still: file.file_id } });
}

/** Keeps the place of a picture until it is there. @param {HTMLImageElement | HTMLVideoElement} shown @param {File} file */
function fit(shown, { width, height }) {
  if (!width || !height) return;
  const scale = Math.min(WIDEST / width, HIGHEST / height, Math.max(1, 160 / width));
  shown.width = Math.round(width * scale);
  shown.height = Math.round(height * scale);
}

/** Puts a picture into its frame, under a cover if it is a spoiler. @param {File} file @param {boolean} spoiler @param {HTMLElement} shown */
function covered(file, spoiler, shown) {
  const made = element("div", { className: spoiler ? "frame hidden" : "frame", dataset: { still: file.file_id } }, shown);
  if (!spoiler) return made;
  const cover = element("button", { className: "cover" }, words.reveal);
  cover.onclick = () => {
    made.classList.remove("hidden");
    cover.remove();
  };
  made.append(cover);
  return made;
}

/** @param {File} file */
function sticker(file) {
  if (file.is_animated || file.is_video) return element("p", "big", file.emoji ?? words.kinds.sticker);
  const image = element("img", { className: "sticker", src: address(file), alt: `${words.kinds.sticker} ${file.emoji ?? ""}`, width: 160, height: 160 });
  return element("div", { dataset: { still: file.file_id } }, image);
}

/** @param {File} file */
function audio(file) {
  const title = [file.performer, file.title].filter(Boolean).join(" · ");
  return player(file, title || file.file_name || (words.kinds.audio ?? ""));
}

/** @param {File} file */
function document_(file) {
  const name = file.file_name ?? words.kinds.document ?? "";
  const about = [size(file.file_size ?? 0), file.duration && length(file.duration)].filter(Boolean).join(", ");
  return element("a", { className: "file", href: address(file), download: name }, ...card("download", name, about));
}

/** @param {Location} location */
function coordinates({ latitude, longitude }) {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
}

/** @param {Location} location @param {string} title @param {string} about */
function place(location, title, about) {
  const { latitude, longitude } = location;
  const url = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
  return element("a", { className: "file", href: url, target: "_blank", rel: "noopener noreferrer" }, ...card("pin", title, about));
}

/** @param {{ phone_number: string, first_name: string, last_name?: string }} contact */
function contact({ phone_number, first_name, last_name }) {
  const name = [first_name, last_name].filter(Boolean).join(" ");
  return element("a", { className: "file", href: `tel:${phone_number.replace(/[^+\d]/g, "")}` }, ...card("person", name, phone_number));
}

/** @param {string} name @param {string} title @param {string} about */
function card(name, title, about) {
  return [
    element("span", "file-icon", icon(name)),
    element("span", { className: "file-name", dir: "auto", title }, title),
    element("span", { className: "file-size", dir: "auto" }, about),
  ];
}

/** @param {Message} message @param {Poll} poll */
function poll(message, { question, description, options, total_voter_count: all, is_closed, type, allows_multiple_answers: several, allows_revoting }) {
  const closed = is_closed || Boolean(message.chosen?.length && !allows_revoting);
  const kind = is_closed ? words.poll.closed : type === "quiz" ? words.poll.quiz : words.kinds.poll;
  const choices = options.map(({ text, voter_count }, at) => {
    const share = all ? voter_count / all : 0;
    return element("li", {}, choice(message, String(at), { text, share, several, closed }));
  });
  return element(
    "div",
    "poll",
    element("b", { dir: "auto" }, question),
    description && element("span", { dir: "auto" }, description),
    element("span", "file-size", kind),
    element("ul", {}, ...choices),
    element("span", "file-size", words.poll.votes(all)),
  );
}

/**
 * An option of a poll: a press votes for it, or takes that back.
 *
 * @param {Message} message
 * @param {string} name the option's persistent id
 * @param {{ text: string, share: number, several: boolean, closed: boolean }} about
 */
function choice({ chat, message_id, chosen = [] }, name, { text, share, several, closed }) {
  const on = chosen.includes(name);
  const options = on ? chosen.filter((each) => each !== name) : several ? [...chosen, name] : [name];
  const vote = () => act("room/vote", { chat: chat.id, user: store.state.me, message_id, options });
  return element(
    "button",
    { className: "vote", "aria-pressed": String(on), disabled: closed, onclick: () => void vote() },
    on ? icon("check") : element("span", {}, `${Math.round(share * 100)} %`),
    element("span", { dir: "auto" }, text),
    element("meter", { value: share, "aria-label": text }),
  );
}

/** @param {{ emoji: string, value: number }} dice */
function dice({ emoji, value }) {
  if (emoji !== "🎲") return element("p", "big", emoji, element("span", "dice-value", String(value)));
  const spots = PIPS[value - 1] ?? "";
  return element(
    "div",
    { className: "die", role: "img", "aria-label": `${words.kinds.dice}: ${value}` },
    ...[..."123456789"].map((spot) => element("i", { className: spots.includes(spot) ? "pip" : "" })),
  );
}
