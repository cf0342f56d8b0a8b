// @ts-check
/** What a status is called, how it looks, and why an invocation does not move. */
import { duration, millis } from "./time.js";

/**
 * A row of `sys_invocation`, as SQL and the stream give it; columns that are null may be left out.
 * @typedef {Record<string, any> & {id: string, status: string, target: string}} Row
 * @typedef {{name: string, word: string, sign: string, tone: string, dashed: boolean}} Look
 */

/** @type {Record<string, Look>} */
export const LOOKS = {
  scheduled: { name: "scheduled", word: "Scheduled", sign: "○", tone: "idle", dashed: true },
  pending: { name: "pending", word: "Queued", sign: "◔", tone: "idle", dashed: true },
  ready: { name: "ready", word: "Ready", sign: "◔", tone: "run", dashed: true },
  running: { name: "running", word: "Running", sign: "▶", tone: "run", dashed: false },
  "backing-off": { name: "backing-off", word: "Retrying", sign: "↻", tone: "retry", dashed: false },
  suspended: { name: "suspended", word: "Waiting", sign: "◌", tone: "wait", dashed: true },
  paused: { name: "paused", word: "Paused", sign: "‖", tone: "hold", dashed: false },
  succeeded: { name: "succeeded", word: "Succeeded", sign: "✓", tone: "ok", dashed: false },
  failed: { name: "failed", word: "Failed", sign: "✕", tone: "fail", dashed: false },
  cancelled: { name: "cancelled", word: "Cancelled", sign: "⊘", tone: "idle", dashed: false },
  killed: { name: "killed", word: "Killed", sign: "☠", tone: "idle", dashed: false },
};

/** Order of statuses wherever they stand side by side. */
export const ORDER = Object.keys(LOOKS);

/** Statuses of what is not completed. */
export const OPEN = ORDER.slice(0, 7);

/** The look's name: `completed` is told apart by how it ended. @param {Row} row */
export function lookName(row) {
  if (row.status !== "completed") return row.status in LOOKS ? row.status : "pending";
  if (row.completion_result === "success") return "succeeded";
  const failure = row.completion_failure ?? "";
  if (/^\[409\b[^\]]*\] cancelled/i.test(failure)) return "cancelled";
  if (/^\[409\b[^\]]*\] killed/i.test(failure)) return "killed";
  return "failed";
}

/** @param {Row} row @returns {Look} */
export function look(row) {
  return LOOKS[lookName(row)];
}

/** First line of a failure, without its stack trace. @param {string | null | undefined} text */
export function firstLine(text) {
  return (text ?? "").split("\n", 1)[0].replace("[500 Internal] ", "");
}

/**
 * Why an invocation is where it is, in one line; empty when there is nothing to explain.
 * @param {Row} row @param {number} now milliseconds
 */
export function why(row, now) {
  if (row.cancelling) return `being cancelled, ${row.cancelling}`;
  switch (row.status) {
    case "backing-off": {
      const next = millis(row.next_retry_at);
      const tries = row.retry_count ? `${ordinal(row.retry_count + 1)} try` : "next try";
      const when = next === null ? "" : next > now ? ` in ${duration(next - now)}` : " now";
      const step = row.last_failure_related_command_name ? `${row.last_failure_related_command_name}: ` : "";
      return `${tries}${when} · ${step}${firstLine(row.last_failure)}`;
    }
    case "running":
      return row.last_failure ? `${ordinal(row.retry_count ?? 1)} try, after ${firstLine(row.last_failure)}` : "";
    case "paused":
      return row.last_failure ? `after ${firstLine(row.last_failure)}` : "until somebody resumes it";
    case "scheduled": {
      const start = millis(row.scheduled_start_at);
      return start === null ? "" : start > now ? `starts in ${duration(start - now)}` : "about to start";
    }
    case "pending":
      return row.target_service_key ? `waits for ${row.target_service_name}/${row.target_service_key}` : "waits for a free place";
    case "suspended":
      return waitsFor(row);
    case "completed":
      return firstLine(row.completion_failure);
    default:
      return "";
  }
}

/** @param {Row} row */
function waitsFor(row) {
  const completions = listed(row.suspended_waiting_for_completions);
  const signals = listed(row.suspended_waiting_for_signals).filter((id) => id !== 1);
  const parts = [];
  if (completions.length) parts.push(completions.length === 1 ? "a result" : `${completions.length} results`);
  if (signals.length) parts.push(signals.length === 1 ? "an answer from outside" : `${signals.length} answers from outside`);
  return parts.length ? `waits for ${parts.join(" or ")}` : "waits";
}

/** @param {any} value @returns {number[]} */
function listed(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {number} count */
export function ordinal(count) {
  const rest = count % 100;
  const end = rest >= 11 && rest <= 13 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${end}`;
}
