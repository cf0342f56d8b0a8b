// @ts-check
/** What differs between two texts, line by line. */
import { align } from "./align.js";

const LINES_MAX = 2000;

/** @param {string} before @param {string} after */
export function diffLines(before, after) {
  const [left, right] = [before, after].map((text) => (text ? text.split("\n").slice(0, LINES_MAX) : []));
  return align(left, right, (line) => line).map(([one, other]) => {
    if (other === null) return { sign: "-", text: one ?? "" };
    return { sign: one === null ? "+" : " ", text: other };
  });
}

/** null stands for lines left out: those that are the same, but for some round each change. @param {DiffLine[]} lines */
export function shorten(lines, round = 3) {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - round), at + round + 1).some((line) => line.sign !== " "));
  return lines.map((line, at) => (near[at] ? line : null)).filter((line, at) => line || near[at - 1] !== false);
}
