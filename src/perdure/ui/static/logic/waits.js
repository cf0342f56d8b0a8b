// @ts-check
import { BLANK } from "./journal.js";
import { awakeableId } from "./payload.js";

const CANCEL_SIGNAL = 1;

/** row: of `sys_invocation`. @returns {Waiting[]} */
export function waitsOf(row, steps) {
	const { id, status } = row;
	if (status === "completed") return [];
	const running = status === "running";
	const open = steps.filter(({ completion, state }) => completion !== null && /waiting|running|retrying/.test(state));
	const newest = steps.findLast(({ index }) => index >= 0);
	const outside = { told: true, step: null, id: null, since: newest?.end ?? newest?.begin ?? null };
	const future = row.suspended_waiting_future_json ?? (running && row.last_awaiting_on_future_json) ?? "null";
	const waits = leaves(JSON.parse(future)).flatMap(({ CompletionId, SignalName: name, SignalIndex: signal }) => {
		const step = open.find(({ completion }) => completion === CompletionId);
		if (step) return ofStep(step, true);
		if (name !== undefined) return { ...outside, kind: "signal", text: `signal(${JSON.stringify(name)})` };
		if (signal === undefined || signal === CANCEL_SIGNAL) return [];
		const awakeable = awakeableId(id, signal);
		// What a running one said last may be over by now.
		const over = steps.some((one) => one.awakeable === awakeable && one.kind === "awakeable");
		return over ? [] : { ...outside, kind: "awakeable", text: "awakeable", id: awakeable };
	});
	return waits.length || !running ? waits : open.map((step) => ofStep(step));
}

function ofStep(step, told = false) {
	const { kind, code, begin: since, until, child } = step;
	return { told, kind, text: code, step, id: null, since, until, child };
}

// Of a tree as the server tells it: `{Single: {CompletionId | SignalIndex | SignalName}}`.
function leaves(tree) {
	if (typeof tree !== "object") return [];
	return tree?.Single ? [tree.Single] : Object.values(tree ?? {}).flatMap(leaves);
}

/** Rows of the journal for what has none there: answers from outside that have not come. */
export function waitSteps({ status }, waits) {
	const state = status === "paused" ? "paused" : "waiting";
	return waits.filter(({ step }) => !step).map(({ id, text, kind, since }) =>
		({ ...BLANK, key: `w${id ?? text}`, kind, code: text, state, begin: since ?? 0, awakeable: id }));
}

/** How the page of waits has it in its address, if it can be answered there. @returns {any} */
export function answerTo(row, { id, text }) {
	if (id) return { id };
	const [, kind, name] = /^(signal|promise)\((".*")\)$/.exec(text) ?? [];
	if (kind === "signal") return { id: row.id, signal: JSON.parse(name) };
	return kind ? { service: row.target_service_name, key: row.target_service_key, promise: JSON.parse(name) } : null;
}
