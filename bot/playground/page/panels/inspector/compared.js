// Two requests side by side, as the lines in which they differ.

import { element } from "../../dom.js";
import { words } from "../../words/index.js";
import { diff, drawnSign, shortened, SIGNS } from "./diff.js";
import { indented, scrolled } from "./json.js";

/** @import { Full } from "./types.js" */

const told = words.inspector;
const AROUND = 2; // equal lines that are shown around those that differ

/** @param {Full} full @param {Full} other */
export function comparedOf(full, other) {
  const [first, second] = other.number < full.number ? [other, full] : [full, other];
  const [before, after] = [first.request?.body, second.request?.body];
  const title = told.compared(first.number, second.number);
  return {
    name: "compared", title, facts: "", depends: [before, after],
    make: () => [lines(title, indented(before).split("\n"), indented(after).split("\n"))],
  };
}

/** @param {string} label @param {string[]} before @param {string[]} after */
function lines(label, before, after) {
  const shown = shortened(diff(before, after), AROUND).map((one) =>
    "left_out" in one
      ? element("li", "lines-gap", told.equal_lines(one.left_out))
      : element("li", `diff-line is-${SIGNS[one.sign]}`, drawnSign(one.sign), element("span", "diff-text", one.line)),
  );
  return scrolled(label, element("ol", {}, ...shown));
}
