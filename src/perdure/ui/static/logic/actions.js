// @ts-check
/** The remote control: which operation fits which status, what it does, and the request that carries it out. */
import { lookName } from "./status.js";

/**
 * @typedef {import("./status.js").Row} Row
 * @typedef {{name: string, word: string, key: string, danger: boolean, effect: (row: Row) => string,
 *   done: string, deployment: boolean}} Action
 * name: last part of the route. done: what is told afterwards. deployment: may move to another deployment.
 */

/** @type {Record<string, Action>} */
export const ACTIONS = {
  cancel: {
    name: "cancel", word: "Cancel", key: "c", danger: false, deployment: false, done: "Cancel requested",
    effect: (row) =>
      row.status === "pending" || row.status === "scheduled"
        ? "It has not started and never will: it completes as [409] cancelled. No code of the handler runs."
        : "What it calls is cancelled first, then the handler sees the cancellation where it waits, runs its clean-up and ends. Sends go on.",
  },
  kill: {
    name: "kill", word: "Kill", key: "x", danger: true, deployment: false, done: "Killed",
    effect: () => "It ends at once, with everything that it calls, and no code runs: no clean-up, no compensation. Sends go on.",
  },
  pause: {
    name: "pause", word: "Pause", key: "p", danger: false, deployment: false, done: "Pause requested",
    effect: (row) =>
      row.status === "running"
        ? "It stops when the step that runs now is through. What arrives meanwhile waits in its journal until it is resumed."
        : row.status === "pending" || row.status === "scheduled"
          ? "It keeps its place, and is paused when it would have started."
          : "Nothing wakes it but resume, cancel or kill. What arrives meanwhile waits in its journal.",
  },
  resume: {
    name: "resume", word: "Resume", key: "r", danger: false, deployment: true, done: "Resumed",
    effect: () => "It goes on from the last finished step; what is done is not done again.",
  },
  "retry-now": {
    name: "resume", word: "Retry now", key: "r", danger: false, deployment: true, done: "Retried",
    effect: () => "The next try starts at once and not after the back-off.",
  },
  "restart-as-new": {
    name: "restart-as-new", word: "Restart as new", key: "f", danger: false, deployment: true, done: "Restarted",
    effect: () => "A new invocation with the same input begins; this one stays as it is.",
  },
  purge: {
    name: "purge", word: "Purge", key: "u", danger: true, deployment: false, done: "Purged",
    effect: () => "It is forgotten, with its journal and its output; its idempotency or workflow key is free again. This cannot be undone.",
  },
  "purge-journal": {
    name: "purge-journal", word: "Purge journal", key: "j", danger: true, deployment: false, done: "Journal purged",
    effect: () => "Its steps are forgotten; the output stays. It can no longer be restarted. This cannot be undone.",
  },
};

/** @type {Record<string, string[]>} the first is the one people most likely want */
const BY_LOOK = {
  scheduled: ["cancel", "pause", "kill"],
  pending: ["cancel", "pause", "kill"],
  ready: ["cancel", "pause", "kill"],
  running: ["cancel", "pause", "kill"],
  "backing-off": ["retry-now", "cancel", "pause", "kill"],
  suspended: ["cancel", "pause", "kill"],
  paused: ["resume", "cancel", "kill"],
};
const CLOSED = ["restart-as-new", "purge", "purge-journal"];

/** Names of the operations that make sense now. @param {Row} row */
export function actionsFor(row) {
  return BY_LOOK[lookName(row)] ?? CLOSED;
}

/**
 * The request of an operation on one invocation.
 * @param {string} action a key of ACTIONS @param {string} id
 * @param {{deployment?: string, from?: number, key?: string}} [options]
 */
export function requestOf(action, id, options = {}) {
  const query = new URLSearchParams();
  if (options.deployment) query.set("deployment", options.deployment);
  if (options.from !== undefined) query.set("from", String(options.from));
  if (options.key) query.set("key", options.key);
  const text = query.toString();
  return { method: "PATCH", path: `/invocations/${encodeURIComponent(id)}/${ACTIONS[action].name}${text ? `?${text}` : ""}` };
}
