// HTTP to the demo. All paths are relative to the page.

/** The demo refuses; the message says why. */
export class Refused extends Error {}

/**
 * Fetches JSON. Throws Refused if the demo refuses, TypeError if it does not answer.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function fetched(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.error ?? body.description ?? `HTTP ${response.status}`);
  return body;
}

/**
 * Posts JSON and returns the answer; throws as `fetched` does.
 *
 * @param {string} path
 * @param {object} [body]
 */
export function call(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Waits. @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Writes the parameters of a GET.
 *
 * @param {string} path
 * @param {Record<string, string | number>} given
 */
export function withQuery(path, given) {
  const texts = Object.entries(given).map(([name, value]) => [name, String(value)]);
  return `${path}?${new URLSearchParams(texts)}`;
}
