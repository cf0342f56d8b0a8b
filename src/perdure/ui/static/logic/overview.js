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

/** In steps, so that addresses do not change with every glance. @param {number} now @param {number} ms @param {number} step */
const ago = (now, ms, step) => new Date(Math.floor(now / step) * step - ms).toISOString();

/** What needs somebody. @type {(now: number) => Figure[]} */
export const attention = (now) => [
  { name: "failing", sign: "↻", word: "retrying", tone: "retry", text: "a step fails and is tried again",
    filters: filter({ status: "backing-off" }) },
  { name: "paused", sign: "‖", word: "paused", tone: "hold", text: "until somebody resumes them",
    filters: filter({ status: "paused" }) },
  { name: "outside", sign: "☝", word: "wait for an answer", tone: "wait", text: "an awakeable, promise or signal",
    filters: filter({ waits: "outside" }) },
  { name: "failed", sign: "✕", word: "failed in the last hour", tone: "fail", text: "ended with a failure",
    filters: filter({ status: "failed", ended: ago(now, 3600000, 60000) }) },
];

/** Seconds that 95 of 100 took at most, by service. */
export const USUAL_SQL = `SELECT service, count(*) AS n, max(CASE WHEN part <= 19 THEN took END) AS seconds FROM (
  SELECT service, took, ntile(20) OVER (PARTITION BY service ORDER BY took) AS part FROM (
    SELECT target_service_name AS service, extract(epoch from (completed_at - created_at)) AS took FROM sys_invocation
    WHERE status = 'completed' AND completion_result = 'success' ORDER BY created_at DESC LIMIT ${USUAL_OF}) AS last
) AS parts GROUP BY service`;

/** What is open for much longer than is usual there. @type {(usual: any[], now: number) => Figure[]} */
export const stuckFilters = (usual, now) => {
  const known = usual.filter(({ n, seconds }) => n >= USUAL_MIN && typeof seconds === "number");
  const status = OPEN.filter((name) => name !== "scheduled");
  return known.slice(0, 50).map(({ service, seconds }) => {
    const ms = Math.max(STUCK_MIN_S, seconds) * 1000;
    const filters = filter({ status, service, before: ago(now, ms, 10000) });
    const text = `longer than ${duration(ms)}, as 95 of 100 take`;
    return { name: "stuck", service, word: "open for long", tone: "hold", text, filters };
  });
};

/** @param {number} at milliseconds */
export const slotOf = (at) => Math.floor(at / SLOT_MS);

/** @param {number} now */
export const throughputSql = (now) =>
  `SELECT cast(extract(epoch from completed_at) / ${SLOT_MS / 1000} AS bigint) AS slot, completion_result AS result,
  count(*) AS n FROM sys_invocation WHERE status = 'completed' AND completed_at >= '${ago(now, (SLOTS - 1) * SLOT_MS, SLOT_MS)}'
  GROUP BY 1, 2`;

/** The bars of the last hour, the oldest first. @type {(rows: any[], now: number) => Bar[]} */
export const slots = (rows, now) => Array.from({ length: SLOTS }, (_, index) => {
  const slot = slotOf(now) - SLOTS + 1 + index;
  const of = (result = "") => rows.find((row) => row.slot === slot && row.result === result)?.n ?? 0;
  return { begin: slot * SLOT_MS, ok: of("success"), fail: of("failure") };
});

export const SERVICES_SQL = `SELECT target_service_name AS service, count(*) AS n,
  CASE WHEN status <> 'completed' THEN status WHEN completion_result = 'success' THEN 'succeeded' ELSE 'ended' END AS look
  FROM sys_invocation GROUP BY 1, 3`;

/** Counts by service, the busiest first. @type {(rows: any[]) => [string, Counts][]} */
export const byService = (rows) => {
  /** @type {Record<string, Counts>} */
  const services = {};
  for (const { service, look, n } of rows) {
    const counts = (services[service] ??= { all: 0 });
    counts[look] = n;
    counts.all += n;
  }
  return Object.entries(services).sort(([a, { all: m }], [b, { all: n }]) => n - m || (a < b ? -1 : 1));
};
