// @ts-check
/** What a status is called, how it looks, and why an invocation does not move. */
import { duration } from "./time.js";

/** @type {Record<string, Look>} */
export const LOOKS = {
  scheduled: { word: "Scheduled", sign: "○", tone: "idle dashed" },
  pending: { word: "Queued", sign: "◔", tone: "idle dashed" },
  ready: { word: "Ready", sign: "◔", tone: "run dashed" },
  running: { word: "Running", sign: "▶", tone: "run" },
  "backing-off": { word: "Retrying", sign: "↻", tone: "retry" },
  suspended: { word: "Waiting", sign: "◌", tone: "wait dashed" },
  paused: { word: "Paused", sign: "‖", tone: "hold" },
  succeeded: { word: "Succeeded", sign: "✓", tone: "ok" },
  failed: { word: "Failed", sign: "✕", tone: "fail" },
  cancelled: { word: "Cancelled", sign: "⊘", tone: "idle" },
  killed: { word: "Killed", sign: "☠", tone: "idle" },
};
export const ORDER = Object.keys(LOOKS);
export const OPEN = ORDER.slice(0, 7);
export const FAILED = ORDER.slice(8);

/** @param {Row} row */
export function lookName({ status, completion_result: result, completion_failure: failure }) {
  if (status !== "completed") return status in LOOKS ? status : "pending";
  if (result === "success") return "succeeded";
  return /^\[409\b[^\]]*\] (cancelled|killed)/i.exec(failure)?.[1].toLowerCase() ?? "failed";
}

/** Of a failure, without its stack trace. */
export const firstLine = (text = "") => text.split("\n", 1)[0].replace("[500 Internal] ", "");

export const counted = (n = 0, one = "", many = "") => (n === 1 ? one : `${n} ${many}`);

/** @type {Why} */
export const why = (row, now) =>
  (row.cancelling ? `being cancelled, ${row.cancelling}` : WHY[row.status]?.(row, now)) ?? "";

/** @type {Record<string, Why>} */
const WHY = {
  scheduled: ({ scheduled_start_at: start }, now) => start && (until(start, now, "starts in ") || "about to start"),
  pending: ({ target_service_name: service, target_service_key: key }) =>
    key ? `waits for ${service}/${key}` : "waits for a free place",
  running: ({ retry_count: count = 1, last_failure: failure }) =>
    failure ? `${ordinal(count)} try, after ${firstLine(failure)}` : "",
  "backing-off": ({ retry_count: count = 0, last_failure_related_command_name: step, ...row }, now) => {
    const when = until(row.next_retry_at, now, " in ") || " now";
    return `${ordinal(count + 1)} try${when} · ${step ? `${step}: ` : ""}${firstLine(row.last_failure)}`;
  },
  suspended: ({ suspended_waiting_for_completions: steps = [], suspended_waiting_for_signals: signals = [] }) => {
    // Signal 1 is the cancellation, which everything waits for.
    const answers = signals.filter((id = 0) => id !== 1).length;
    const all = steps.length ? [counted(steps.length, "a result", "results")] : [];
    if (answers) all.push(counted(answers, "an answer from outside", "answers from outside"));
    return all.length ? `waits for ${all.join(" or ")}` : "waits";
  },
  paused: ({ last_failure: failure }) => (failure ? `after ${firstLine(failure)}` : "until somebody resumes it"),
  completed: (row) => firstLine(row.completion_failure),
};

function until(iso = "", now = 0, before = "") {
  const rest = Date.parse(iso) - now;
  return rest > 0 ? before + duration(rest) : "";
}

const ordinal = (n = 0) => n + ((n % 100 > 10 && n % 100 < 14 ? "" : ["th", "st", "nd", "rd"][n % 10]) || "th");
