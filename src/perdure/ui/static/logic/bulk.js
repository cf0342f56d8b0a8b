// @ts-check
/** An operation on many invocations: to which it applies, what is said of it, and what became of it. */
import { ACTIONS, actionsFor } from "./actions.js";
import { inWords, literal, toSql } from "./filters.js";
import { ORDER } from "./status.js";

/** @typedef {import("./filters.js").Filters} Filters */
/** Operations in the order of the bar. */
export const BULK = ["cancel", "pause", "resume", "retry-now", "restart-as-new", "kill", "purge"];
/** So many in one request: few enough to stop soon, many enough to be quick. */
export const CHUNK = 250;
/** Failures whose reasons are kept, and ids whose outcome is watched. */
export const FAILURES_MAX = 500;
export const WATCHED_MAX = 2000;

/** The looks that an operation fits. @param {string} action @returns {string[]} */
export function looksFor(action) {
  return ORDER.filter((name) => {
    const ended = ORDER.indexOf(name) >= ORDER.indexOf("succeeded");
    const result = name === "succeeded" ? "success" : "failure";
    return actionsFor({ id: "", target: "", status: ended ? "completed" : name, completion_result: ended ? result : undefined }).includes(action);
  });
}

/** How many an operation applies to. @param {string} action @param {Record<string, number>} counts by look @param {string[]} [chosen] looks that are filtered; none: all */
export function applies(action, counts, chosen = []) {
  return looksFor(action).reduce((sum, name) => sum + (chosen.length && !chosen.includes(name) ? 0 : (counts[name] ?? 0)), 0);
}

/** @param {Record<string, number>} counts @param {string[]} chosen */
export function matching(counts, chosen) {
  return ORDER.reduce((sum, name) => sum + (chosen.length && !chosen.includes(name) ? 0 : (counts[name] ?? 0)), 0);
}

/**
 * One job, as it can be kept as JSON. ids: what is left of those that were ticked, null for all that match `condition`; after: the id behind which it goes on.
 * total: how many there were when it was asked for. state: `running`, `stopped` by its reader, `interrupted`, `failed` (see problem), `done`.
 * unknown: how many were sent without an answer to tell what came of it.
 * @typedef {{id: string, action: string, words: string, reason: string, deployment: string, condition: string, ids: string[] | null, after: string, total: number,
 *   done: number, failed: number, unknown: number, failures: {id: string, error: string}[], watched: string[], state: string, problem: string, begun: number}} Job
 */

/**
 * @param {string} action @param {{filters: Filters, ids: string[] | null, total: number, reason: string, deployment: string, now: number, id: string}} asked
 * @returns {Job}
 */
export function newJob(action, { filters, ids, total, reason, deployment, now, id }) {
  return {
    id, action, reason, deployment, ids, total, condition: conditionOf(action, filters, now), after: "",
    words: ids ? `${ids.length} ticked` : scopeWords(action, filters),
    done: 0, failed: 0, unknown: 0, failures: [], watched: [], state: "running", problem: "", begun: now,
  };
}

/** @param {string} action @param {Filters} filters @returns {Filters} narrowed to what the operation fits */
function narrowed(action, filters) {
  return { ...filters, status: looksFor(action).filter((name) => !filters.status.length || filters.status.includes(name)) };
}

/** What will be hit, in words. @param {string} action @param {Filters} filters */
export function scopeWords(action, filters) {
  return inWords(narrowed(action, filters));
}

/** Nothing that begins after the job, as what it restarts does, is part of it. @param {string} action @param {Filters} filters @param {number} now */
function conditionOf(action, filters, now) {
  return `(${toSql(narrowed(action, filters))}) AND created_at <= ${literal(new Date(now).toISOString())}`;
}

/** The next ids of a job. @param {Job} job */
export function nextSql(job) {
  return `SELECT id FROM sys_invocation WHERE ${job.condition} AND id > ${literal(job.after)} ORDER BY id LIMIT ${CHUNK}`;
}

/** @param {Job} job @param {string[]} ids */
export function batchRequest(job, ids) {
  return {
    path: `/internal/invocations_batch_operations/${ACTIONS[job.action].name}`,
    body: { invocation_ids: ids, ...(job.deployment && ACTIONS[job.action].deployment ? { deployment: job.deployment } : {}) },
  };
}

/** The job after one request. @param {Job} job @param {string[]} ids @param {any} answer @returns {Job} */
export function advanced(job, ids, answer) {
  const failures = answer.failed.map((/** @type {any} */ one) => ({ id: one.invocation_id, error: one.error }));
  const began = answer.succeeded.map((/** @type {any} */ one) => one.new_invocation_id ?? one);
  return {
    ...passed(job, ids), done: job.done + ids.length - failures.length, failed: job.failed + failures.length,
    failures: [...job.failures, ...failures].slice(0, FAILURES_MAX), watched: [...job.watched, ...began].slice(0, WATCHED_MAX),
  };
}

/** The job behind some ids, whatever came of them. @param {Job} job @param {string[]} ids @returns {Job} */
export function passed(job, ids) {
  return { ...job, ids: job.ids && job.ids.slice(ids.length), after: ids[ids.length - 1] ?? job.after };
}

/** How many are left, as far as is known. @param {Job} job */
export function leftOf(job) {
  return job.ids ? job.ids.length : Math.max(0, job.total - job.done - job.failed - job.unknown);
}
