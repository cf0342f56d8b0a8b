// @ts-check
/** An operation on many invocations: to which it applies, what is said of it, and what became of it. */
import { ACTIONS, actionsOf } from "./actions.js";
import { inWords, literal, toSql, withValues } from "./filters.js";
import { ORDER } from "./status.js";

/** In the order of the bar. */
export const BULK = ["cancel", "pause", "resume", "retry-now", "restart-as-new", "kill", "purge"];
/** So many in one request: few enough to stop soon, many enough to be quick. */
export const CHUNK = 250;
const FAILURES_MAX = 500;
const WATCHED_MAX = 2000;

/** How many have one of these looks. @param {Counts} counts @param {string[]} looks */
export const sumOf = (counts, looks) => looks.reduce((sum, name) => sum + (counts[name] ?? 0), 0);

/** How many match, in all. @param {Counts} counts @param {Filters} filters */
export const matching = (counts, filters) => sumOf(counts, chosenLooks(filters));

/** @param {Filters} filters */
const chosenLooks = (filters) => (filters.has("status") ? filters.getAll("status") : ORDER);

/** The looks that an operation fits. @param {string} action @param {string[]} looks */
const fitting = (action, looks) => looks.filter((look) => actionsOf(look).includes(action));

/** How many an operation applies to. @param {string} action @param {Counts} counts @param {Filters} [filters] */
export function applies(action, counts, filters) {
  return sumOf(counts, fitting(action, filters ? chosenLooks(filters) : ORDER));
}

/** What of the filters an operation fits. @param {string} action @param {Filters} filters */
const narrowed = (action, filters) => withValues(filters, "status", fitting(action, chosenLooks(filters)));

/** What will be hit, in words. @param {string} action @param {Filters} filters */
export const scopeWords = (action, filters) => inWords(narrowed(action, filters));

/** @param {JobAsked} asked @param {string} id @param {number} now @returns {Job} */
export function newJob({ filters, ...asked }, id, now) {
  const { action, ids } = asked;
  // Nothing that begins after the job, as what it restarts does, is part of it.
  const before = `created_at <= ${literal(new Date(now).toISOString())}`;
  return {
    ...asked, id, begun: now, after: "", condition: `(${toSql(narrowed(action, filters))}) AND ${before}`,
    words: ids ? `${ids.length} ticked` : scopeWords(action, filters),
    done: 0, failed: 0, unknown: 0, failures: [], watched: [], state: "running", problem: "",
  };
}

/** The next ids of a job. @param {Job} job */
export function nextSql({ condition, after }) {
  return `SELECT id FROM sys_invocation WHERE ${condition} AND id > ${literal(after)} ORDER BY id LIMIT ${CHUNK}`;
}

/** @param {Job} job @param {string[]} ids */
export function batchRequest({ action, deployment }, ids) {
  const { route = action, moves } = ACTIONS[action];
  const body = { invocation_ids: ids, deployment: moves ? deployment : undefined };
  return { path: `/internal/invocations_batch_operations/${route}`, body };
}

/** What one request changes. @param {Job} job @param {string[]} ids @param {any} answer @returns {Partial<Job>} */
export function advanced(job, ids, answer) {
  const refused = answer.failed.map((/** @type {any} */ one) => ({ id: one.invocation_id, error: one.error }));
  const began = answer.succeeded.map((/** @type {any} */ one) => one.new_invocation_id ?? one);
  return {
    ...passed(job, ids), done: job.done + began.length, failed: job.failed + refused.length,
    failures: [...job.failures, ...refused].slice(0, FAILURES_MAX),
    watched: [...job.watched, ...began].slice(0, WATCHED_MAX),
  };
}

/** What lies behind some ids, whatever came of them. @param {Job} job @param {string[]} ids @returns {Partial<Job>} */
export const passed = (job, ids) => ({ ids: job.ids && job.ids.slice(ids.length), after: ids.at(-1) });

/** @param {number} n */
export const invocations = (n) => `${n} ${n === 1 ? "invocation" : "invocations"}`;

/** How many are left, as far as is known. @param {Job} job */
export function leftOf({ ids, total, done, failed, unknown }) {
  return ids ? ids.length : Math.max(0, total - done - failed - unknown);
}
