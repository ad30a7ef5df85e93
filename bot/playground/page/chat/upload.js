// Files that one sends: as a photo, a video, an audio, a voice note, or as they are.

import { fetched } from "../api.js";

/** @import { Attached, Fields } from "./types.js" */

const LARGEST_PHOTO = 10 * 2 ** 20; // bytes
const PHOTOS = ["image/jpeg", "image/png", "image/webp"];

/** As what a file is sent if nobody says. @param {File} file */
export function kindOf(file) {
  const [type] = file.type.split("/");
  if (PHOTOS.includes(file.type) && file.size <= LARGEST_PHOTO) return "photo";
  if (file.type === "image/gif") return "animation";
  if (type === "video" || type === "audio") return type;
  return "document";
}

/**
 * Sends a file; returns the Message.
 *
 * @param {Attached} attached
 * @param {Fields} where what everything said has, and the caption
 */
export async function upload({ file, kind }, where) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...where, ...(await facts(file, kind)) })) {
    if (value !== undefined && value !== "") form.append(name, String(value));
  }
  form.append("kind", kind);
  form.append("file", file, file.name);
  return fetched("room/media", { method: "POST", body: form });
}

/** What is said of a sound or a video: as the browser reads it. @param {File} file @param {string} kind @returns {Promise<Fields>} */
async function facts(file, kind) {
  if (!["audio", "voice", "video"].includes(kind)) return {};
  const player = document.createElement(kind === "video" ? "video" : "audio");
  const address = URL.createObjectURL(file);
  const loaded = new Promise((resolve) => {
    player.onloadedmetadata = player.onerror = resolve;
  });
  player.src = address;
  await loaded;
  URL.revokeObjectURL(address);
  const duration = Number.isFinite(player.duration) ? Math.round(player.duration) : undefined;
  if (!(player instanceof HTMLVideoElement)) return { duration };
  return { duration, width: player.videoWidth || undefined, height: player.videoHeight || undefined };
}
