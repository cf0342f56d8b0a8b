// @ts-check
import { ACTIONS, actionsOf } from "./actions.js";
import { ORDER, literal, lookName, parts, toSql, withValues } from "./filters.js";

export const BULK = ["cancel", "pause", "resume", "retry-now", "restart-as-new", "kill", "purge"];
// In one request: few enough to stop soon.
export const CHUNK = 250;
const FAILURES_MAX = 500;
const WATCHED_MAX = 2000;

export const countLooks = (rows) => {
	const counts = {};
	for (const look of rows.map(lookName)) counts[look] = (counts[look] ?? 0) + 1;
	return counts;
};

export const sumOf = (counts, looks) => looks.reduce((sum, look) => sum + (counts[look] ?? 0), 0);

const chosenLooks = (filters) => (filters.has("status") ? filters.getAll("status") : ORDER);

export const matching = (counts, filters) => sumOf(counts, chosenLooks(filters));

const fitting = (action, filters) =>
	withValues(filters, "status", chosenLooks(filters).filter((look) => actionsOf(look).includes(action)));

export const applies = (action, counts, filters = new URLSearchParams()) =>
	sumOf(counts, fitting(action, filters).getAll("status"));

export const scopeWords = (action, filters) => parts(fitting(action, filters)).map(({ words }) => words).join(" and ");

/** @param {JobAsked} asked @returns {Job} */
export const newJob = ({ filters, ...asked }, id, now) => {
	const { action, ids } = asked;
	// What begins after the job, as what it restarts, is no part of it.
	const before = `created_at <= ${literal(new Date(now).toISOString())}`;
	return {
		...asked, id, begun: now, after: "", condition: `${toSql(fitting(action, filters))} AND ${before}`,
		words: ids ? `${ids.length} ticked` : scopeWords(action, filters),
		done: 0, failed: 0, unknown: 0, failures: [], watched: [], state: "running", problem: "",
	};
};

export const nextSql = ({ condition, after }) =>
	`SELECT id FROM sys_invocation WHERE ${condition} AND id > ${literal(after)} ORDER BY id LIMIT ${CHUNK}`;

export const batchRequest = ({ action, deployment }, ids) => ({
	path: `/internal/invocations_batch_operations/${ACTIONS[action].route ?? action}`,
	body: { invocation_ids: ids, deployment },
});


export const passed = (job, ids) => ({ ids: job.ids && job.ids.slice(ids.length), after: ids.at(-1) });

export const advanced = (job, ids, { succeeded, failed }) => ({
	...passed(job, ids), done: job.done + succeeded.length, failed: job.failed + failed.length,
	failures: [...job.failures, ...failed].slice(0, FAILURES_MAX),
	watched: [...job.watched, ...succeeded].map((one) => one.new_invocation_id ?? one).slice(0, WATCHED_MAX),
});

export const leftOf = ({ ids, total, done, failed, unknown }) =>
	ids ? ids.length : Math.max(0, total - done - failed - unknown);
