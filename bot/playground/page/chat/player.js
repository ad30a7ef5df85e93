// A player for voice notes and music.

import { element } from "../dom.js";
import { icon } from "../icons.js";
import { words } from "../words/index.js";
import { address } from "./media.js";

/** @import { File } from "../types.js" */

/** @param {File} file @param {string} title */
export function player(file, title) {
  const sound = element("audio", { src: address(file), preload: "none" });
  const button = element("button", { className: "file-icon", "aria-label": words.play }, icon("play"));
  const place = element("input", { type: "range", className: "player-place", min: "0", max: "1", step: "any", value: "0", "aria-label": words.place });
  const time = element("span", "file-size", length(file.duration ?? 0));

  button.onclick = () => void (sound.paused ? play(sound) : sound.pause());
  sound.onplay = sound.onpause = sound.onended = () => {
    button.replaceChildren(icon(sound.paused ? "play" : "pause"));
    button.setAttribute("aria-label", sound.paused ? words.play : words.pause);
  };
  sound.ontimeupdate = () => {
    place.value = String(sound.currentTime / (sound.duration || 1));
    const whole = file.duration || (Number.isFinite(sound.duration) ? sound.duration : 0);
    time.textContent = `${length(sound.currentTime)} / ${length(whole)}`;
  };
  place.oninput = () => {
    if (Number.isFinite(sound.duration)) sound.currentTime = Number(place.value) * sound.duration;
  };
  const name = element("span", { className: "file-name", dir: "auto" }, title);
  return element("div", { className: "file player", dataset: { still: file.file_id } }, sound, button, name, element("span", "player-line", place, time));
}

/** @param {HTMLAudioElement} sound */
async function play(sound) {
  for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
  await sound.play().catch(() => {}); // what the browser cannot play stays silent
}

/** Writes a duration. @param {number} seconds */
export function length(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
