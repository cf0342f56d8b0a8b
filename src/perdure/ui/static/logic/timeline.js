// @ts-check
import { duration, millis } from "./time.js";

export const ALL = { left: 0, right: 1 };
// Folded are gaps that are so long, in milliseconds, and take more than this part of what is left.
const GAP_MIN = 5000;
const GAP_PART = 0.4;
const GAPS_MAX = 8;
const FOLD_WIDTH = 0.04;
const VIEW_MIN = 1e-4;
const MARKS_MAX = 40;

/** gaps: to be folded, in order. @returns {Axis} */
export function makeAxis(from, to, gaps = []) {
	const end = Math.max(to, from + 1);
	const rest = gaps.reduce((left, [a, b]) => left - (b - a), end - from);
	// Nothing but gaps: they share the whole.
	const fold = rest > 0 ? FOLD_WIDTH : 1 / gaps.length;
	const scale = rest > 0 ? (1 - fold * gaps.length) / rest : 0;
	const stretches = [];
	let [at, left] = [from, 0];
	for (const [until, folded = false] of [...gaps.flatMap(([a, b]) => [[a], [b, true]]), [end]]) {
		if (until <= at) continue;
		const right = until === end ? 1 : left + (folded ? fold : (until - at) * scale);
		stretches.push({ from: at, to: until, left, right, folded });
		[at, left] = [until, right];
	}
	return { stretches, from, to: end };
}

// Where x is between a and b, between c and d.
const along = (x, a, b, c, d) => c + ((x - a) / (b - a)) * (d - c);

// Where a moment lies: 0 at the beginning of the axis, 1 at its end.
export function place({ from, stretches }, time) {
	if (time <= from) return 0;
	const one = stretches.find(({ to }) => time <= to);
	return one ? along(time, one.from, one.to, one.left, one.right) : 1;
}

export function moment({ stretches }, x) {
	const one = stretches.find(({ right }) => x <= right) ?? stretches.at(-1);
	return along(x, one.left, one.right, one.from, one.to);
}

// As percent of what is seen, null when nothing of it is.
export function bar(axis, view, begin, end) {
	const [from, to] = [begin, end].map((time) => along(place(axis, time), view.left, view.right, 0, 100));
	const left = Math.max(from, 0);
	return to < 0 || from > 100 ? null : { left, width: Math.min(to, 100) - left };
}

// Long stretches in which no code runs. quietEnd: nor does any at the end.
export function gapsOf(steps, from, to, quietEnd) {
	const busy = steps.filter(({ kind, tries }) => kind === "run" && !tries.length);
	const times = steps.flatMap(({ begin, end, tries }) => [begin, end ?? to, ...tries.map(({ at }) => at)]);
	const sorted = [from, to, ...times].filter((time) => time >= from && time <= to).sort((a, b) => a - b);
	const gaps = sorted.map((end, at) => ({ begin: sorted[at - 1], end, length: end - sorted[at - 1] }));
	const quiet = gaps.filter(({ begin, end, length }) => length >= GAP_MIN && (end !== to || quietEnd)
		&& !busy.some((run) => run.begin < end && (run.end ?? to) > begin)).sort((a, b) => b.length - a.length);
	let rest = to - from;
	const chosen = [];
	for (const { begin, end, length } of quiet.slice(0, GAPS_MAX)) {
		if (length < rest * GAP_PART || length === rest) break;
		chosen.push([begin, end]);
		rest -= length;
	}
	return chosen.sort(([a], [b]) => a - b);
}

/** Marks at round distances from the beginning: `+2s`. @param {Axis} axis @returns {Mark[]} */
export function ticks(axis, view, most = 6) {
	const x = (at) => along(at, view.left, view.right, 0, 100);
	const marks = axis.stretches.filter(({ folded }) => folded).map(({ left, right, from, to }) =>
		({ left: x((left + right) / 2), text: `⋯ ${duration(to - from)}`, folded: true }));
	for (const one of axis.stretches) {
		const [left, right] = [Math.max(one.left, view.left), Math.min(one.right, view.right)];
		if (one.folded || right <= left) continue;
		const [begin, end] = [left, right].map((at) => moment(axis, at) - axis.from);
		const step = roundUp((end - begin) / Math.max(1, Math.floor((most * (x(right) - x(left))) / 100)));
		for (let far = Math.ceil(begin / step) * step; far <= end && marks.length < MARKS_MAX; far += step) {
			const at = x(place(axis, axis.from + far));
			// A mark on the edge would be cut off, and near another it would lie below its text.
			const free = at < 94 && marks.every((mark) => Math.abs(mark.left - at) > (mark.folded ? 180 : 60) / most);
			if (free) marks.push({ left: at, text: `+${exact(far, step)}`, folded: false });
		}
	}
	return marks.filter(({ left }) => left >= 0 && left <= 100);
}

function exact(ms, step) {
	if (ms < 1000 || step >= 1000) return duration(ms);
	const rest = ms % 60000;
	return `${ms === rest ? "" : `${(ms - rest) / 60000}m `}${(rest / 1000).toFixed(4 - `${step}`.length)}s`;
}

const DAY = 864e5;
const MINUTES = [1, 2, 5, 10, 30, 60, 120, 360].map((minutes) => minutes * 6e4);
const ROUND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, ...MINUTES];
const roundUp = (ms) => ROUND.find((one) => one >= ms) ?? Math.ceil(ms / DAY) * DAY;

// A view round a place of it; factor below 1: closer.
export function zoom({ left, right }, factor, at = (left + right) / 2) {
	const span = Math.min(1, Math.max(VIEW_MIN, (right - left) * factor));
	return moved(at - ((at - left) / (right - left)) * span, span);
}

export function moved(left, span) {
	const from = Math.min(Math.max(0, left), 1 - span);
	return { left: from, right: from + span };
}

export function viewFrom(text) {
	const [left, right] = (text ?? "").split("-").map(Number);
	return left >= 0 && right <= 1 && right - left >= VIEW_MIN ? { left, right } : ALL;
}

export function viewText({ left, right }) {
	return right - left === 1 ? "" : `${+left.toFixed(5)}-${+right.toFixed(5)}`;
}

export function phases({ row, steps }, now) {
	const from = Date.parse(row.created_at);
	const to = millis(row.completed_at) ?? now;
	const { status, running_at } = row;
	const turns = [{ kind: status === "paused" && !running_at ? status : "queued", from }];
	const last = () => turns[turns.length - 1];
	const turn = (kind, at) => turns.push({ kind, from: Math.max(at, last().from) });
	if (running_at) {
		turn("running", Date.parse(running_at));
		for (const { kind, code, begin } of steps) {
			if (kind === "paused") turn(kind, begin);
			else if (code === "resume" && last().kind === "paused") turn("running", begin);
		}
		const suspended = status === "suspended";
		const ends = steps.flatMap(({ begin, end, tries }) => (suspended ? end ?? begin : tries.map(({ at }) => at)));
		const latest = ends.reduce((most, at) => (at <= to ? Math.max(most, at) : most), 0);
		if (suspended || status === "backing-off") turn(status, latest);
	}
	return turns.map((one, at) => ({ ...one, to: turns[at + 1]?.from ?? to })).filter((phase) => phase.to > phase.from);
}
