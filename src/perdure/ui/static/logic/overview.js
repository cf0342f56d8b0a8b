// @ts-check
/** Figures of the overview: the questions in SQL and what is made of their answers. Each is bounded. */
import { filter } from "./filters.js";
import { OPEN } from "./status.js";
import { duration } from "./time.js";

/** Bars of the plot: so many minutes each, over an hour. */
export const SLOT_MINUTES = 2;
export const SLOTS = 30;
const SLOT_MS = SLOT_MINUTES * 60000;
/** Of so many successes, the newest, it is learnt what is usual; of fewer than `USUAL_MIN` of a service nothing is. */
const USUAL_OF = 5000;
const USUAL_MIN = 20;
/** What takes less than this is never stuck. */
const STUCK_MIN_S = 10;

/** So long before now, in steps, so that addresses do not change with every glance. All are milliseconds.
 * @param {number} now @param {number} ms @param {number} step */
const ago = (now, ms, step) => new Date(Math.floor(now / step) * step - ms).toISOString();

/** What needs somebody, each with the filter that its number leads to. @param {number} now @returns {Figure[]} */
export function attention(now) {
  const failed = filter({ status: "failed", ended: ago(now, 3600000, 60000) });
  return [
    { name: "failing", sign: "↻", word: "retrying", tone: "retry", text: "a step fails and is tried again",
      filters: filter({ status: "backing-off" }) },
    { name: "paused", sign: "‖", word: "paused", tone: "hold", text: "until somebody resumes them",
      filters: filter({ status: "paused" }) },
    { name: "outside", sign: "☝", word: "wait for an answer", tone: "wait", text: "an awakeable, promise or signal",
      filters: filter({ waits: "outside" }) },
    { name: "failed", sign: "✕", word: "failed in the last hour", tone: "fail", text: "ended with a failure",
      filters: failed },
  ];
}

/** Seconds that 95 of 100 took at most, by service, of those that succeeded last. */
export const USUAL_SQL = `SELECT service, count(*) AS n, max(CASE WHEN part <= 19 THEN took END) AS seconds FROM (
  SELECT service, took, ntile(20) OVER (PARTITION BY service ORDER BY took) AS part FROM (
    SELECT target_service_name AS service, extract(epoch from (completed_at - created_at)) AS took FROM sys_invocation
    WHERE status = 'completed' AND completion_result = 'success' ORDER BY created_at DESC LIMIT ${USUAL_OF}) AS last
) AS parts GROUP BY service`;

/** What is open for much longer than is usual there. @param {any[]} usual @param {number} now @returns {Figure[]} */
export function stuckFilters(usual, now) {
  const known = usual.filter(({ n, seconds }) => n >= USUAL_MIN && typeof seconds === "number").slice(0, 50);
  return known.map(({ service, seconds }) => {
    const ms = Math.max(STUCK_MIN_S, seconds) * 1000;
    const status = OPEN.filter((name) => name !== "scheduled");
    return {
      name: "stuck", service, word: "open for long", tone: "hold",
      text: `longer than ${duration(ms)}, as 95 of 100 take`,
      filters: filter({ status, service, before: ago(now, ms, 10000) }),
    };
  });
}

/** @param {number} at milliseconds */
export const slotOf = (at) => Math.floor(at / SLOT_MS);

/** @param {number} now */
const firstSlot = (now) => slotOf(now) - SLOTS + 1;

/** @param {number} now */
export function throughputSql(now) {
  const since = new Date(firstSlot(now) * SLOT_MS).toISOString();
  return `SELECT cast(extract(epoch from completed_at) / ${SLOT_MS / 1000} AS bigint) AS slot, completion_result AS result,
    count(*) AS n FROM sys_invocation WHERE status = 'completed' AND completed_at >= '${since}' GROUP BY 1, 2`;
}

/** The bars of the last hour, the oldest first. @param {any[]} rows @param {number} now @returns {Bar[]} */
export function slots(rows, now) {
  return Array.from({ length: SLOTS }, (_, index) => {
    const slot = firstSlot(now) + index;
    const of = (/** @type {string} */ result) => rows.find((row) => row.slot === slot && row.result === result)?.n ?? 0;
    return { begin: slot * SLOT_MS, ok: of("success"), fail: of("failure") };
  });
}

export const SERVICES_SQL = `SELECT target_service_name AS service, status, completion_result AS result, count(*) AS n
  FROM sys_invocation GROUP BY 1, 2, 3`;

/** Counts by service, the busiest first. @param {any[]} rows @returns {ServiceCounts[]} */
export function byService(rows) {
  /** @type {Record<string, Counts>} */
  const services = {};
  for (const { service, status, result, n } of rows) {
    const by = (services[service] ??= { all: 0 });
    const name = status !== "completed" ? status : result === "success" ? "succeeded" : "ended";
    by[name] = (by[name] ?? 0) + n;
    by.all += n;
  }
  const all = Object.entries(services).map(([service, by]) => ({ service, by }));
  return all.sort((a, b) => b.by.all - a.by.all || (a.service < b.service ? -1 : 1));
}
