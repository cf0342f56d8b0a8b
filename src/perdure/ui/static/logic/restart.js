// @ts-check

const EFFECTS = ["run", "call", "send", "signal", "cancel", "resolve", "set", "clear"];

/** All can be kept up to the first command without its completion, but never the output. */
export function limitOf(steps, size) {
	const end = steps.find(({ kind, completion, answer }) =>
		kind === "output" || (completion !== null && answer === null));
	const why = end?.kind === "output" ? "nothing would be left to run" : `${end?.code} has no result`;
	return { last: (end?.index ?? size) - 1, why };
}

export const choices = (steps) => steps.filter(({ index, kind }) => index > 0 && kind !== "output");

/** The last index that is kept where a step runs again. */
export const keptBefore = ({ index }) => index - 1;

/** What a restart keeps, up to the index `from`, and what it does once more. */
export function plan(steps, from) {
	const [kept, again] = [true, false].map((keeps) => steps.filter(({ index }) => index <= from === keeps));
	return { kept, again, effects: again.filter(hasEffect), cancelled: kept.some(wasCancelled) };
}

/** Whether it did something outside of the journal, as a run may have that failed. */
export const hasEffect = ({ kind, state }) => EFFECTS.includes(kind) && (kind !== "run" || state !== "waiting");

const wasCancelled = ({ kind }) => kind === "cancelled";

/** Where people most likely want to begin: before what went wrong. */
export function likely(steps, last) {
	const wrong = steps.find(wasCancelled) ?? steps.findLast(({ state }) => state === "failed");
	return wrong ? Math.min(keptBefore(wrong), last) : 0;
}
