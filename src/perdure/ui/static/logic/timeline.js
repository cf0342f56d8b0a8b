// @ts-check
/** Times on a line: where a moment is drawn, which long gaps are folded, what is seen of the whole. Pure. */
import { duration } from "./time.js";

/** @typedef {import("./journal.js").Step} Step */
/**
 * A stretch of time and where it lies, from 0 (the beginning) to 1 (the end).
 * @typedef {{from: number, to: number, left: number, right: number, folded: boolean}} Stretch
 * @typedef {{stretches: Stretch[], from: number, to: number}} Axis
 * @typedef {{left: number, right: number}} View the part of the axis that is seen
 */

/** @type {View} */
export const ALL = { left: 0, right: 1 };
/** Shorter gaps are never folded, in milliseconds. */
const GAP_MIN = 5000;
/** A gap is folded when it is more than this part of what is left. */
const GAP_PART = 0.4;
const GAPS_MAX = 8;
/** What a folded gap takes of the whole. */
const FOLD_WIDTH = 0.04;
const VIEW_MIN = 1e-4;

/**
 * @param {number} from @param {number} to milliseconds @param {[number, number][]} gaps to fold, in order, apart from each other
 * @returns {Axis}
 */
export function makeAxis(from, to, gaps = []) {
  const end = Math.max(to, from + 1);
  const folded = gaps.reduce((sum, [a, b]) => sum + (b - a), 0);
  const rest = end - from - folded;
  // Nothing but gaps: they share the whole.
  const fold = rest > 0 ? FOLD_WIDTH : 1 / Math.max(gaps.length, 1);
  const scale = rest > 0 ? (1 - fold * gaps.length) / rest : 0;
  /** @type {Stretch[]} */
  const stretches = [];
  let at = from;
  let x = 0;
  const add = /** @param {number} until @param {boolean} isFolded */ (until, isFolded) => {
    if (until <= at) return;
    const right = x + (isFolded ? fold : (until - at) * scale);
    stretches.push({ from: at, to: until, left: x, right, folded: isFolded });
    at = until;
    x = right;
  };
  for (const [a, b] of gaps) {
    add(a, false);
    add(b, true);
  }
  add(end, false);
  stretches[stretches.length - 1].right = 1;
  return { stretches, from, to: end };
}

/** Where a moment lies: 0 at the beginning of the axis, 1 at its end. @param {Axis} axis @param {number} time */
export function place(axis, time) {
  if (time <= axis.from) return 0;
  for (const one of axis.stretches) {
    if (time <= one.to) return one.left + ((time - one.from) / (one.to - one.from)) * (one.right - one.left);
  }
  return 1;
}

/** The moment at a place; the other way round. @param {Axis} axis @param {number} x */
export function moment(axis, x) {
  const one = axis.stretches.find((stretch) => x <= stretch.right) ?? axis.stretches[axis.stretches.length - 1];
  return one.from + ((x - one.left) / (one.right - one.left || 1)) * (one.to - one.from);
}

/** A bar as percent of what is seen, null when nothing of it is. @param {Axis} axis @param {View} view @param {number} begin @param {number} end */
export function bar(axis, view, begin, end) {
  const span = view.right - view.left;
  const left = (place(axis, begin) - view.left) / span;
  const right = (place(axis, end) - view.left) / span;
  if (right < 0 || left > 1) return null;
  const from = Math.max(left, 0);
  return { left: from * 100, width: (Math.min(right, 1) - from) * 100 };
}

/**
 * Long stretches in which nothing happens and no code of the handler runs.
 * @param {Step[]} steps @param {number} from @param {number} to @param {boolean} quietEnd nothing runs between the last step and `to`
 * @returns {[number, number][]}
 */
export function gapsOf(steps, from, to, quietEnd) {
  const times = new Set([from, to]);
  /** @type {[number, number][]} */
  const busy = [];
  for (const step of steps) {
    for (const time of [step.begin, step.end, ...step.tries.map((one) => one.at)]) if (time !== null && time > from && time < to) times.add(time);
    if (step.kind === "run" && !step.tries.length) busy.push([step.begin, step.end ?? to]);
  }
  const sorted = [...times].sort((a, b) => a - b);
  const quiet = /** @type {[number, number][]} */ ([]);
  for (let at = 1; at < sorted.length; at++) {
    const [a, b] = [sorted[at - 1], sorted[at]];
    if (b - a < GAP_MIN || (b === to && !quietEnd)) continue;
    if (!busy.some(([begin, end]) => begin < b && end > a)) quiet.push([a, b]);
  }
  quiet.sort((one, other) => other[1] - other[0] - (one[1] - one[0]));
  let rest = to - from;
  const chosen = [];
  for (const gap of quiet.slice(0, GAPS_MAX)) {
    const length = gap[1] - gap[0];
    if (length < rest * GAP_PART || length === rest) break;
    chosen.push(gap);
    rest -= length;
  }
  return chosen.sort((one, other) => one[0] - other[0]);
}

/** Marks at round distances from the beginning: `+2s`. @param {Axis} axis @param {View} view @param {number} [most] */
export function ticks(axis, view, most = 6) {
  /** @type {{left: number, text: string, folded: boolean}[]} */
  const marks = [];
  const span = view.right - view.left;
  const seen = axis.stretches.filter((one) => Math.min(one.right, view.right) > Math.max(one.left, view.left));
  const x = /** @param {number} at */ (at) => ((at - view.left) / span) * 100;
  for (const one of seen) {
    if (one.folded) marks.push({ left: x((one.left + one.right) / 2), text: `⋯ ${duration(one.to - one.from)}`, folded: true });
  }
  for (const one of seen) {
    if (one.folded) continue;
    const [left, right] = [Math.max(one.left, view.left), Math.min(one.right, view.right)];
    const time = /** @param {number} at */ (at) => one.from + ((at - one.left) / (one.right - one.left)) * (one.to - one.from) - axis.from;
    const step = round((time(right) - time(left)) / Math.max(1, Math.floor((most * (right - left)) / span)));
    for (let far = Math.ceil(time(left) / step) * step; far <= time(right) && marks.length < 40; far += step) {
      const at = x(place(axis, axis.from + far));
      // A mark on the edge would be cut off, and near another it would lie below its text.
      if (at < 94 && marks.every((mark) => Math.abs(mark.left - at) > (mark.folded ? 150 : 60) / most)) marks.push({ left: at, text: `+${exact(far, step)}`, folded: false });
    }
  }
  return marks.filter((mark) => mark.left >= 0 && mark.left <= 100);
}

/** A distance as exact as the step between marks. @param {number} ms @param {number} step */
function exact(ms, step) {
  if (ms < 1000 || step >= 1000) return duration(ms);
  const minutes = Math.floor(ms / 60000);
  return `${minutes ? `${minutes}m ` : ""}${((ms - minutes * 60000) / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : 1)}s`;
}

const ROUND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000, 7200000, 21600000, 86400000];

/** @param {number} atLeast milliseconds */
function round(atLeast) {
  return ROUND.find((one) => one >= atLeast) ?? Math.ceil(atLeast / 86400000) * 86400000;
}

/** A smaller or larger view round a place of it. @param {View} view @param {number} factor below 1: closer @param {number} [at] place on the axis */
export function zoom(view, factor, at = (view.left + view.right) / 2) {
  const span = Math.min(1, Math.max(VIEW_MIN, (view.right - view.left) * factor));
  return moved(at - ((at - view.left) / (view.right - view.left)) * span, span);
}

/** @param {number} left @param {number} span @returns {View} */
export function moved(left, span) {
  const from = Math.min(Math.max(0, left), 1 - span);
  return { left: from, right: from + span };
}

/** The view in an address: two numbers between 0 and 1. @param {string | null} text @returns {View} */
export function viewFrom(text) {
  const [left, right] = (text ?? "").split("-").map(Number);
  return left >= 0 && right <= 1 && right - left >= VIEW_MIN ? { left, right } : ALL;
}

/** @param {View} view */
export function viewText(view) {
  return view.left === 0 && view.right === 1 ? "" : `${+view.left.toFixed(5)}-${+view.right.toFixed(5)}`;
}

/**
 * What became of the whole over time: queued, running, paused, waiting, backing off.
 * @param {import("./status.js").Row} row @param {Step[]} steps @param {number} from @param {number} to
 * @returns {{kind: string, from: number, to: number}[]}
 */
export function phases(row, steps, from, to) {
  const time = /** @param {string} name */ (name) => (row[name] ? Date.parse(row[name]) : null);
  const running = time("running_at");
  const end = time("completed_at") ?? to;
  if (running === null) return [{ kind: row.status === "paused" ? "paused" : "queued", from, to: end }];
  const all = running > from ? [{ kind: "queued", from, to: running }] : [];
  let kind = "running";
  let since = running;
  const turn = /** @param {string} next @param {number} at */ (next, at) => {
    if (at > since) all.push({ kind, from: since, to: at });
    kind = next;
    since = Math.max(since, at);
  };
  for (const step of steps) {
    if (step.kind === "paused") turn("paused", step.begin);
    else if (step.kind === "operation" && step.operation === "resume" && kind === "paused") turn("running", step.begin);
  }
  if (row.status === "suspended") turn("suspended", Math.max(since, ...steps.map((step) => step.end ?? step.begin).filter((at) => at <= to)));
  if (row.status === "backing-off") turn("backing-off", Math.max(since, ...steps.flatMap((step) => step.tries.map((one) => one.at))));
  turn("", end);
  return all;
}
