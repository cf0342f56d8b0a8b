// @ts-check
/** From where an invocation can be run again, and what that does once more. The server's rules, said before it is asked. */

const EFFECTS = ["run", "call", "send", "signal", "cancel", "resolve", "set", "clear"];

/** All up to the first command without its completion, and never the output. @param {Step[]} steps @param {number} size of the journal */
export function limitOf(steps, size) {
  const ends = (/** @type {Step} */ step) => step.kind === "output" || (step.completion !== null && step.answer === null);
  const end = steps.find((step) => step.index > 0 && ends(step));
  if (!end) return { last: size - 1, why: "" };
  const why = end.kind === "output" ? "nothing would be left to run" : `${end.code} has no result that could be kept`;
  return { last: end.index - 1, why };
}

/** Steps at which one can choose to begin again, the beginning left out. @param {Step[]} steps */
export function choices(steps) {
  return steps.filter((step) => step.index > 0 && step.kind !== "output");
}

/** What the server has to keep so that a step runs again: everything before it. @param {Step} step */
export function keptBefore(step) {
  return step.index - 1;
}

/** What a restart keeps and what it does once more. @param {Step[]} steps @param {number} from the last index that is kept */
export function plan(steps, from) {
  const [kept, again] = [true, false].map((keeps) => steps.filter((step) => step.index <= from === keeps));
  return { kept, again, effects: again.filter(hasEffect), cancelled: kept.some((step) => step.kind === "cancelled") };
}

/** Whether it changed something outside of the journal, which also a run can that failed. @param {Step} step */
export function hasEffect({ kind, state }) {
  return EFFECTS.includes(kind) && (kind !== "run" || state !== "waiting");
}

/** Where people most likely want to begin: before what failed or was cancelled. @param {Step[]} steps @param {Limit} limit */
export function likely(steps, limit) {
  const wrong = steps.find((step) => step.kind === "cancelled") ?? steps.findLast((step) => step.state === "failed");
  return wrong ? Math.max(0, Math.min(keptBefore(wrong), limit.last)) : 0;
}
