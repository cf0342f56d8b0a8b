// @ts-check
/** Figures of the overview: the questions in SQL and what is made of their answers. Each is bounded. */
import { NOTHING, toSql } from "./filters.js";
import { OPEN } from "./status.js";

/** @typedef {import("./filters.js").Filters} Filters */

/** Bars of the plot: so many minutes each, over an hour. */
export const SLOT_MINUTES = 2;
export const SLOTS = 30;
/** Of so many successes, the newest, it is learnt what is usual; of fewer than `USUAL_MIN` of a service nothing is. */
const USUAL_OF = 5000;
const USUAL_MIN = 20;
/** What takes less than this is never stuck. */
const STUCK_MIN_S = 10;

/** @param {Partial<Filters>} filters @returns {Filters} */
export function filter(filters) {
  return { ...NOTHING, ...filters };
}

/** @param {number} ms @param {number} now */
function ago(ms, now) {
  return new Date(now - ms).toISOString();
}

/**
 * What needs somebody, each with the filter that its number leads to.
 * @param {number} now @returns {{name: string, word: string, tone: string, sign: string, text: string, filters: Filters}[]}
 */
export function attention(now) {
  // To the minute, so that the addresses do not change with every glance.
  const hour = ago(3600000, Math.floor(now / 60000) * 60000);
  return [
    { name: "failing", word: "retrying", sign: "↻", tone: "retry", text: "a step fails and is tried again", filters: filter({ status: ["backing-off"] }) },
    { name: "paused", word: "paused", sign: "‖", tone: "hold", text: "until somebody resumes them", filters: filter({ status: ["paused"] }) },
    { name: "outside", word: "wait for an answer", sign: "☝", tone: "wait", text: "an awakeable, promise or signal", filters: filter({ waits: "outside" }) },
    { name: "failed", word: "failed in the last hour", sign: "✕", tone: "fail", text: "ended with a failure", filters: filter({ status: ["failed"], ended: hour }) },
  ];
}

/** @param {Filters} filters */
export function countSql(filters) {
  return `SELECT count(*) AS n FROM sys_invocation WHERE ${toSql(filters)}`;
}

/** Seconds that 95 of 100 took at most, by service, of those that succeeded last. */
export const USUAL_SQL = `SELECT service, count(*) AS n, max(CASE WHEN part <= 19 THEN took END) AS seconds FROM (
  SELECT target_service_name AS service, extract(epoch from (completed_at - created_at)) AS took,
    ntile(20) OVER (PARTITION BY target_service_name ORDER BY extract(epoch from (completed_at - created_at))) AS part
  FROM (SELECT target_service_name, completed_at, created_at FROM sys_invocation WHERE status = 'completed' AND completion_result = 'success' ORDER BY created_at DESC LIMIT ${USUAL_OF}) AS last
) AS parts GROUP BY service`;

/** What is open for much longer than is usual there. @param {{service: string, n: number, seconds?: number}[]} usual @param {number} now @returns {{service: string, seconds: number, filters: Filters}[]} */
export function stuckFilters(usual, now) {
  return usual.filter(({ n, seconds }) => n >= USUAL_MIN && seconds !== undefined && seconds !== null).slice(0, 50).map(({ service, seconds }) => {
    const long = Math.max(STUCK_MIN_S, /** @type {number} */ (seconds));
    const before = ago(long * 1000, Math.floor(now / 10000) * 10000);
    return { service, seconds: long, filters: filter({ service: [service], status: OPEN.filter((name) => name !== "scheduled"), before }) };
  });
}

/** @param {number} now */
export function throughputSql(now) {
  return `SELECT cast(extract(epoch from completed_at) / ${SLOT_MINUTES * 60} AS bigint) AS slot, completion_result AS result, count(*) AS n
FROM sys_invocation WHERE status = 'completed' AND completed_at >= '${new Date((slotOf(now) - SLOTS + 1) * SLOT_MINUTES * 60000).toISOString()}' GROUP BY 1, 2`;
}

/** @param {number} at milliseconds */
export function slotOf(at) {
  return Math.floor(at / (SLOT_MINUTES * 60000));
}

/**
 * The bars of the last hour, the oldest first.
 * @param {{slot: number, result: string, n: number}[]} rows @param {number} now @returns {{begin: number, ok: number, fail: number}[]}
 */
export function slots(rows, now) {
  const last = slotOf(now);
  return Array.from({ length: SLOTS }, (_, index) => {
    const slot = last - SLOTS + 1 + index;
    const of = /** @param {string} result */ (result) => rows.filter((row) => row.slot === slot && row.result === result).reduce((sum, row) => sum + row.n, 0);
    return { begin: slot * SLOT_MINUTES * 60000, ok: of("success"), fail: of("failure") };
  });
}

/** Counts by service. @param {{service: string, status: string, result?: string, n: number}[]} rows @returns {{service: string, total: number, by: Record<string, number>}[]} */
export function byService(rows) {
  /** @type {Map<string, {service: string, total: number, by: Record<string, number>}>} */
  const all = new Map();
  for (const { service, status, result, n } of rows) {
    const one = all.get(service) ?? { service, total: 0, by: {} };
    const name = status !== "completed" ? status : result === "success" ? "succeeded" : "ended";
    one.by[name] = (one.by[name] ?? 0) + n;
    one.total += n;
    all.set(service, one);
  }
  return [...all.values()].sort((a, b) => b.total - a.total || (a.service < b.service ? -1 : 1));
}
