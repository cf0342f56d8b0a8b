// @ts-check
/** What differs between two texts, line by line. */
import { align } from "./align.js";

/** Lines of each text that are looked at. */
export const LINES_MAX = 2000;

/** @typedef {{sign: " " | "-" | "+", text: string}} Line */

/** @param {string} before @param {string} after @returns {Line[]} */
export function diffLines(before, after) {
  const [left, right] = [before, after].map((text) => (text === "" ? [] : text.split("\n").slice(0, LINES_MAX)));
  /** @type {Line[]} */
  const lines = [];
  /** @type {Line[]} */
  let added = [];
  for (const [one, other] of align(left, right, (line) => line)) {
    // Of a run of changes, what was there before comes first.
    if (one === null) added.push({ sign: "+", text: /** @type {string} */ (other) });
    else if (other === null) lines.push({ sign: "-", text: one });
    else {
      lines.push(...added, { sign: " ", text: one });
      added = [];
    }
  }
  return [...lines, ...added];
}

/** Lines that are the same are left out, but for some round each change. @param {Line[]} lines @param {number} [round] @returns {(Line | null)[]} null: some were left out */
export function shorten(lines, round = 3) {
  const near = new Set();
  lines.forEach((line, at) => {
    if (line.sign !== " ") for (let one = at - round; one <= at + round; one++) near.add(one);
  });
  /** @type {(Line | null)[]} */
  const kept = [];
  lines.forEach((line, at) => {
    if (near.has(at)) kept.push(line);
    else if (kept.length === 0 || kept[kept.length - 1] !== null) kept.push(null);
  });
  return kept;
}
