// The difference between two lists of lines.

import { element } from "../../dom.js";
import { words } from "../../words/index.js";

/** @typedef {{ sign: " " | "-" | "+", line: string }} Line */

/** How a line is drawn. */
export const SIGNS = { " ": "same", "-": "removed", "+": "added" };

const MOST = 4_000_000; // pairs of lines that are compared; more differ as a whole

/**
 * Returns the lines of both: common ones, those only in the first and those only in the second.
 *
 * @param {readonly string[]} before
 * @param {readonly string[]} after
 * @returns {Line[]}
 */
export function diff(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const inside = middle(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...signed(" ", before.slice(0, start)), ...inside, ...signed(" ", end ? before.slice(-end) : [])];
}

/** @param {Line["sign"]} sign @param {readonly string[]} lines @returns {Line[]} */
function signed(sign, lines) {
  return lines.map((line) => ({ sign, line }));
}

/** Walks a longest common subsequence. @param {readonly string[]} before @param {readonly string[]} after @returns {Line[]} */
function middle(before, after) {
  if (!before.length || !after.length || before.length * after.length > MOST) {
    return [...signed("-", before), ...signed("+", after)];
  }
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const longest = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      common[i * width + j] = longest;
    }
  }
  /** @type {Line[]} */
  const lines = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const isCommon = i < before.length && j < after.length && before[i] === after[j];
    const isRemoved = j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1));
    const sign = isCommon ? " " : isRemoved ? "-" : "+";
    lines.push({ sign, line: String(sign === "+" ? after[j] : before[i]) });
    if (sign !== "+") i += 1;
    if (sign !== "-") j += 1;
  }
  return lines;
}

/**
 * Leaves out common lines that are far from any difference; `left_out` stands for so many of them.
 *
 * @template {{ sign: string, kept?: boolean }} T
 * @param {readonly T[]} lines
 * @param {number} around
 * @returns {(T | { left_out: number })[]}
 */
export function shortened(lines, around) {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - around), at + around + 1).some(({ sign, kept }) => sign !== " " || kept));
  /** @type {(T | { left_out: number })[]} */
  const shown = [];
  lines.forEach((line, at) => {
    const last = shown.at(-1);
    if (near[at]) shown.push(line);
    else if (last && "left_out" in last) last.left_out += 1;
    else shown.push({ left_out: 1 });
  });
  return shown;
}

/** Draws the sign of a line, and says it. @param {Line["sign"]} sign */
export function drawnSign(sign) {
  const told = { " ": "", "-": words.inspector.removed, "+": words.inspector.added }[sign];
  return element("span", "diff-sign", sign.trim(), element("span", "only-heard", told));
}
