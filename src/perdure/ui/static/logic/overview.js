// @ts-check
import { OPEN, filter } from "./filters.js";
import { duration } from "./time.js";

export const SLOT_MINUTES = 2;
export const SLOTS = 30;
const SLOT_MS = SLOT_MINUTES * 60000;
// The newest successes tell what is usual, few of a service nothing.
const USUAL_OF = 5000;
const USUAL_MIN = 20;
const STUCK_MIN_S = 10;

// In steps: addresses do not change with every glance.
const ago = (now, ms, step) => new Date(Math.floor(now / step) * step - ms).toISOString();

/** @returns {Figure} */
const figure = (name, sign, word, tone, text, values) => ({ name, sign, word, tone, text, filters: filter(values) });

export const attention = (now) => [
	figure("failing", "↻", "retrying", "retry", "a step fails and is tried again", { status: "backing-off" }),
	figure("paused", "‖", "paused", "hold", "until somebody resumes them", { status: "paused" }),
	figure("outside", "☝", "waiting for an answer", "wait", "an awakeable, promise or signal", { waits: "outside" }),
	figure("failed", "✕", "failed in the last hour", "fail", "ended with a failure",
		{ status: "failed", ended: ago(now, 3600000, 60000) }),
];

// Seconds that 95 of 100 took at most, by service.
export const USUAL_SQL = `SELECT service, count(*) AS n, max(CASE WHEN part <= 19 THEN took END) AS seconds FROM (
	SELECT service, took, ntile(20) OVER (PARTITION BY service ORDER BY took) AS part FROM (
		SELECT target_service_name AS service, extract(epoch from (completed_at - created_at)) AS took FROM sys_invocation
		WHERE status = 'completed' AND completion_result = 'success' ORDER BY created_at DESC LIMIT ${USUAL_OF}) AS last
) AS parts GROUP BY service`;

export const stuckFilters = (usual, now) => {
	const known = usual.filter(({ n, seconds }) => n >= USUAL_MIN && typeof seconds === "number");
	const status = OPEN.filter((name) => name !== "scheduled");
	return known.slice(0, 50).map(({ service, seconds }) => {
		const ms = Math.max(STUCK_MIN_S, seconds) * 1000;
		const text = `longer than ${duration(ms)}, as 95 of 100 take`;
		const values = { status, service, before: ago(now, ms, 10000) };
		return { ...figure("stuck", "", "open for long", "hold", text, values), service };
	});
};

export const slotOf = (at) => Math.floor(at / SLOT_MS);

export const BY_SLOT = [
	`cast(extract(epoch from completed_at) / ${SLOT_MS / 1000} AS bigint) AS slot`, "completion_result AS result",
];
export const slotted = (now) =>
	`status = 'completed' AND completed_at >= '${ago(now, (SLOTS - 1) * SLOT_MS, SLOT_MS)}'`;

export const slots = (rows, now) => Array.from({ length: SLOTS }, (_, index) => {
	const slot = slotOf(now) - SLOTS + 1 + index;
	const of = (result) => rows.find((row) => row.slot === slot && row.result === result)?.n ?? 0;
	return { begin: slot * SLOT_MS, ok: of("success"), fail: of("failure") };
});

export const BY_SERVICE = ["target_service_name AS service", `CASE WHEN status <> 'completed' THEN status
	WHEN completion_result = 'success' THEN 'succeeded' ELSE 'ended' END AS look`];

export const byService = (rows) => {
	const services = {};
	for (const { service, look, n } of rows) {
		const counts = (services[service] ??= { service, all: 0 });
		counts[look] = n;
		counts.all += n;
	}
	return Object.values(services).sort((a, b) => b.all - a.all || (a.service < b.service ? -1 : 1));
};
