// The page's own words, in the language that was chosen, or else the browser's: Russian or English.

import { language } from "./numbers.js";

export { language, plural } from "./numbers.js";

/** @typedef {typeof import("./en.js").english} Words */

/** Only the words of one language are fetched. @type {Words} */
export const words = language === "ru" ? (await import("./ru/index.js")).russian : (await import("./en.js")).english;

/** Puts the words into the elements of index.html that name them. */
export function showWords() {
  document.documentElement.lang = language;
  document.title = words.title;
  const named = /** @type {Record<string, unknown>} */ (words);
  for (const made of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-label]"))) {
    const { label = "", placeholder } = made.dataset;
    made.ariaLabel = String(named[label]);
    if (made instanceof HTMLButtonElement) made.title = made.ariaLabel;
    if (placeholder) made.setAttribute("placeholder", String(named[placeholder]));
  }
}

/** Writes a time of the day. @param {number} seconds since 1970 */
export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(language, { timeStyle: "short" });
}

/** Writes a day as a person would. @param {number} seconds since 1970 */
export function day(seconds) {
  const date = new Date(seconds * 1000);
  const today = new Date();
  const days = Math.round((midnight(today) - midnight(date)) / 86_400_000);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  const year = date.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(language, { day: "numeric", month: "long", year });
}

/** Writes when something was, for a list. @param {number} seconds since 1970 */
export function when(seconds) {
  const date = new Date(seconds * 1000);
  if (midnight(date) === midnight(new Date())) return clock(seconds);
  return date.toLocaleDateString(language, { day: "numeric", month: "short" });
}

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** @param {number} bytes */
export function size(bytes) {
  const power = bytes < 1024 ? 0 : bytes < 1024 ** 2 ? 1 : 2;
  const digits = power && bytes / 1024 ** power < 10 ? 1 : 0;
  return `${(bytes / 1024 ** power).toLocaleString(language, { maximumFractionDigits: digits })} ${words.units[power]}`;
}
