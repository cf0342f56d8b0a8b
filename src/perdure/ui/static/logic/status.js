// @ts-check
import { duration } from "./time.js";

const look = (sign, word, tone) => ({ sign, word, tone });

export const LOOKS = {
	scheduled: look("○", "Scheduled", "idle dashed"),
	pending: look("◔", "Queued", "idle dashed"),
	ready: look("◔", "Ready", "run dashed"),
	running: look("▶", "Running", "run"),
	"backing-off": look("↻", "Retrying", "retry"),
	suspended: look("◌", "Waiting", "wait dashed"),
	paused: look("‖", "Paused", "hold"),
	succeeded: look("✓", "Succeeded", "ok"),
	failed: look("✕", "Failed", "fail"),
	cancelled: look("⊘", "Cancelled", "idle"),
	killed: look("☠", "Killed", "idle"),
};
export const ORDER = Object.keys(LOOKS);
export const OPEN = ORDER.slice(0, 7);
export const FAILED = ORDER.slice(8);

/** @param {Row} row */
export function lookName({ status, ...row }) {
	if (status !== "completed") return status in LOOKS ? status : "pending";
	if (row.completion_result === "success") return "succeeded";
	return /^\[409\b[^\]]*\] (cancelled|killed)/i.exec(row.completion_failure)?.[1].toLowerCase() ?? "failed";
}

export const firstLine = (text = "") => text.split("\n", 1)[0].replace("[500 Internal] ", "");

// Equal failures in a row are recorded once, and counted all.
export const failedTries = ({ status, retry_count: tries = 0 }) => tries && tries - Number(status === "running");

export const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

export const why = (row, now) =>
	(row.cancelling ? `being cancelled, ${row.cancelling}` : WHY[row.status]?.(row, now)) ?? "";

const WHY = {
	scheduled: ({ scheduled_start_at: start }, now) => start && (until(start, now, "starts in ") || "about to start"),
	pending: ({ target_service_name: service, target_service_key: key }) =>
		key ? `waits for ${service}/${key}` : "waits for a free place",
	running: (row) => row.last_failure && `${ordinal(row.retry_count ?? 1)} try, after ${firstLine(row.last_failure)}`,
	"backing-off": ({ retry_count: count = 0, last_failure_related_command_name: step, ...row }, now) => {
		const when = until(row.next_retry_at, now, " in ") || " now";
		return `${ordinal(count + 1)} try${when} · ${step ? `${step}: ` : ""}${firstLine(row.last_failure)}`;
	},
	suspended: ({ suspended_waiting_for_completions: steps = [], suspended_waiting_for_signals: signals = [] }) => {
		// Everything waits for signal 1, the cancellation.
		const answers = signals.filter((id) => id !== 1).length;
		const all = steps.length ? [counted(steps.length, "result")] : [];
		if (answers) all.push(`${counted(answers, "answer")} from outside`);
		return all[0] ? `waits for ${all.join(" or ")}` : "waits";
	},
	paused: (row) => (row.last_failure ? `after ${firstLine(row.last_failure)}` : "until somebody resumes it"),
	completed: (row) => firstLine(row.completion_failure),
};

function until(iso, now, before) {
	const rest = Date.parse(iso) - now;
	return rest > 0 ? before + duration(rest) : "";
}

const ordinal = (n) => n + ((n % 100 > 10 && n % 100 < 14 ? "" : ["th", "st", "nd", "rd"][n % 10]) || "th");
