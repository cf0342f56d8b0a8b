// @ts-check
/** What a status is called, how it looks, and why an invocation does not move. */
import { duration, millis } from "./time.js";

/** In the order in which they stand side by side. @type {Record<string, Look>} */
export const LOOKS = {
  scheduled: { word: "Scheduled", sign: "○", tone: "tone-idle dashed" },
  pending: { word: "Queued", sign: "◔", tone: "tone-idle dashed" },
  ready: { word: "Ready", sign: "◔", tone: "tone-run dashed" },
  running: { word: "Running", sign: "▶", tone: "tone-run" },
  "backing-off": { word: "Retrying", sign: "↻", tone: "tone-retry" },
  suspended: { word: "Waiting", sign: "◌", tone: "tone-wait dashed" },
  paused: { word: "Paused", sign: "‖", tone: "tone-hold" },
  succeeded: { word: "Succeeded", sign: "✓", tone: "tone-ok" },
  failed: { word: "Failed", sign: "✕", tone: "tone-fail" },
  cancelled: { word: "Cancelled", sign: "⊘", tone: "tone-idle" },
  killed: { word: "Killed", sign: "☠", tone: "tone-idle" },
};
export const ORDER = Object.keys(LOOKS);
/** Statuses of what is not completed. */
export const OPEN = ORDER.slice(0, 7);

/** The look's name: `completed` is told apart by how it ended. @param {Row} row */
export function lookName(row) {
  if (row.status !== "completed") return row.status in LOOKS ? row.status : "pending";
  if (row.completion_result === "success") return "succeeded";
  return /^\[409\b[^\]]*\] (cancelled|killed)/i.exec(row.completion_failure ?? "")?.[1].toLowerCase() ?? "failed";
}

/** First line of a failure, without its stack trace. @param {string} [text] */
export function firstLine(text) {
  return (text ?? "").split("\n", 1)[0];
}

/** Why an invocation is where it is, in one line, if there is something to explain. @param {Row} row @param {number} now */
export function why(row, now) {
  return row.cancelling ? `being cancelled, ${row.cancelling}` : (WHY[row.status]?.(row, now) ?? "");
}

/** @type {Record<string, (row: Row, now: number) => string>} */
const WHY = {
  scheduled: ({ scheduled_start_at: start }, now) => start && (until(start, now, "starts in ") || "about to start"),
  pending: ({ target_service_name: service, target_service_key: key }) =>
    key ? `waits for ${service}/${key}` : "waits for a free place",
  running: ({ retry_count: tries, last_failure: failure }) =>
    failure ? `${ordinal(tries ?? 1)} try, after ${firstLine(failure)}` : "",
  "backing-off": (row, now) => {
    const tries = row.retry_count ? `${ordinal(row.retry_count + 1)} try` : "next try";
    const when = row.next_retry_at && (until(row.next_retry_at, now, " in ") || " now");
    const step = row.last_failure_related_command_name;
    return `${tries}${when ?? ""} · ${step ? `${step}: ` : ""}${firstLine(row.last_failure)}`;
  },
  suspended: (row) => {
    const steps = row.suspended_waiting_for_completions?.length;
    // The first signal is a cancellation, which everything waits for.
    const answers = row.suspended_waiting_for_signals?.filter((/** @type {number} */ id) => id !== 1).length;
    const all = [];
    if (steps) all.push(steps === 1 ? "a step" : `${steps} steps`);
    if (answers) all.push(answers === 1 ? "an answer from outside" : `${answers} answers from outside`);
    return all.length ? `waits for ${all.join(" or ")}` : "waits";
  },
  paused: ({ last_failure: failure }) => (failure ? `after ${firstLine(failure)}` : "until somebody resumes it"),
  completed: (row) => firstLine(row.completion_failure),
};

/** Empty when it is over. @param {string} iso @param {number} now @param {string} before */
function until(iso, now, before) {
  const at = millis(iso) ?? 0;
  return at > now ? before + duration(at - now) : "";
}

/** @param {number} count */
function ordinal(count) {
  const teen = count % 100 > 10 && count % 100 < 14;
  return `${count}${(!teen && ["th", "st", "nd", "rd"][count % 10]) || "th"}`;
}
