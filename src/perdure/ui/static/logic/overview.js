// @ts-check
/** Figures of the overview: questions in SQL and what is made of their answers. Each is bounded. */
import { filter } from "./filters.js";
import { OPEN } from "./status.js";
import { duration } from "./time.js";

/** Bars of an hour. */
export const SLOT_MINUTES = 2;
export const SLOTS = 30;
const SLOT_MS = SLOT_MINUTES * 60000;
/** Of the newest successes it is learnt what is usual; of fewer of a service nothing is. */
const USUAL_OF = 5000;
const USUAL_MIN = 20;
const STUCK_MIN_S = 10;

/** In steps, so that addresses do not change with every glance. */
const ago = (now = 0, ms = 0, step = 0) => new Date(Math.floor(now / step) * step - ms).toISOString();

/** @returns {Figure[]} */
export const attention = (now = 0) => [
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

/** @param {any[]} usual @returns {Figure[]} */
export const stuckFilters = (usual, now = 0) => {
  const known = usual.filter(({ n, seconds }) => n >= USUAL_MIN && typeof seconds === "number");
  const status = OPEN.filter((name) => name !== "scheduled");
  return known.slice(0, 50).map(({ service, seconds }) => {
    const ms = Math.max(STUCK_MIN_S, seconds) * 1000;
    const filters = filter({ status, service, before: ago(now, ms, 10000) });
    const text = `longer than ${duration(ms)}, as 95 of 100 take`;
    return { name: "stuck", service, word: "open for long", tone: "hold", text, filters };
  });
};

export const slotOf = (at = 0) => Math.floor(at / SLOT_MS);

export const BY_SLOT = {
  slot: `cast(extract(epoch from completed_at) / ${SLOT_MS / 1000} AS bigint)`, result: "completion_result",
};
export const slotted = (now = 0) =>
  `status = 'completed' AND completed_at >= '${ago(now, (SLOTS - 1) * SLOT_MS, SLOT_MS)}'`;

/** The bars of the last hour. @param {any[]} rows */
export const slots = (rows, now = 0) => Array.from({ length: SLOTS }, (_, index) => {
  const slot = slotOf(now) - SLOTS + 1 + index;
  const of = (result = "") => rows.find((row) => row.slot === slot && row.result === result)?.n ?? 0;
  return { begin: slot * SLOT_MS, ok: of("success"), fail: of("failure") };
});

export const BY_SERVICE = {
  service: "target_service_name",
  look: `CASE WHEN status <> 'completed' THEN status
    WHEN completion_result = 'success' THEN 'succeeded' ELSE 'ended' END`,
};

/** The busiest first. @param {any[]} rows */
export const byService = (rows) => {
  /** @type {Record<string, any>} */
  const services = {};
  for (const { service, look, n } of rows) {
    const counts = (services[service] ??= { service, all: 0 });
    counts[look] = n;
    counts.all += n;
  }
  return Object.values(services).sort((a, b) => b.all - a.all || (a.service < b.service ? -1 : 1));
};
