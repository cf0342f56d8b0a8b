// @ts-check
/** Which operation fits which status, what it does, and the request that carries it out. */
import { lookName } from "./status.js";

/** @param {Row} row */
const isUnbegun = ({ status }) => status === "pending" || status === "scheduled";

/** @type {Record<string, Action>} */
export const ACTIONS = {
  cancel: {
    word: "Cancel", key: "c", done: "Cancel requested",
    effect: (row) =>
      isUnbegun(row)
        ? "It has not started and never will: it completes as [409] cancelled. No code of the handler runs."
        : "What it calls is cancelled first, then the handler sees it where it waits, runs its clean-up and ends.",
  },
  kill: {
    word: "Kill", key: "x", danger: true, done: "Killed",
    effect: () => "It ends at once, with all that it calls, and no code runs: no clean-up, no compensation.",
  },
  pause: {
    word: "Pause", key: "p", done: "Pause requested",
    effect: (row) => {
      if (isUnbegun(row)) return "It keeps its place, and is paused when it would have started.";
      const begins = row.status === "running" ? "It stops after the step that runs now" : "Nothing wakes it";
      return `${begins}. What arrives waits in its journal until it is resumed.`;
    },
  },
  resume: {
    word: "Resume", key: "r", moves: true, done: "Resumed",
    effect: () => "It goes on from the last finished step; what is done is not done again.",
  },
  "retry-now": {
    word: "Retry now", key: "r", moves: true, done: "Retried", route: "resume",
    effect: () => "The next try starts at once and not after the back-off.",
  },
  "restart-as-new": {
    word: "Restart as new", key: "f", moves: true, done: "Restarted",
    effect: () => "A new invocation with the same input begins; this one stays as it is.",
  },
  purge: {
    word: "Purge", key: "u", danger: true, done: "Purged",
    effect: () => "It is forgotten, with journal and output; its key is free again. This cannot be undone.",
  },
  "purge-journal": {
    word: "Purge journal", key: "j", danger: true, done: "Journal purged",
    effect: () => "Its steps are forgotten; the output stays. It can no longer be restarted. This cannot be undone.",
  },
};

const OPEN = ["cancel", "pause", "kill"];
/** The first is the one people most likely want. @type {Record<string, string[]>} */
const BY_LOOK = {
  scheduled: OPEN, pending: OPEN, ready: OPEN, running: OPEN, suspended: OPEN,
  "backing-off": ["retry-now", ...OPEN], paused: ["resume", "cancel", "kill"],
};

export const actionsOf = (look = "") => BY_LOOK[look] ?? ["restart-as-new", "purge", "purge-journal"];

/** @param {Row} row */
export const actionsFor = (row) => actionsOf(lookName(row));

export function requestOf(action = "", id = "", options = {}) {
  const query = new URLSearchParams(Object.entries(options).filter(([, value]) => (value ?? "") !== ""));
  const { route = action } = ACTIONS[action];
  return { method: "PATCH", path: `/invocations/${encodeURIComponent(id)}/${route}?${query}` };
}
