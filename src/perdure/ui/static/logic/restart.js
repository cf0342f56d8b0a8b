// @ts-check
/** From where an invocation can be run again, and what that does once more. The server's rules, said before it is asked. */

/** @typedef {import("./journal.js").Step} Step */
/**
 * What can be kept. last: the last index that can be; why: what stands in the way of more.
 * @typedef {{last: number, why: string}} Limit
 */

const EFFECTS = new Set(["run", "call", "send", "signal", "cancel", "resolve", "set", "clear"]);

/**
 * Everything up to the first command without its completion, and never the output.
 * @param {Step[]} steps of the whole journal @param {number} size number of entries @returns {Limit}
 */
export function limitOf(steps, size) {
  const blocks = steps.find((step) => step.index > 0 && (step.kind === "output" || (step.completion !== null && step.answer === null)));
  if (!blocks) return { last: size - 1, why: "" };
  const why = blocks.kind === "output" ? "it has ended there: nothing would be left to run" : `${blocks.code} has no result that could be kept`;
  return { last: blocks.index - 1, why };
}

/** Steps at which one can choose to begin again, the beginning left out. @param {Step[]} steps */
export function choices(steps) {
  return steps.filter((step) => step.index > 0 && step.kind !== "output");
}

/** What the server has to keep so that a step runs again: everything before it. @param {Step} step */
export function keptBefore(step) {
  return step.index - 1;
}

/**
 * What a restart keeps and what it does once more. effects: done outside already, and done again.
 * cancelled: the cancellation is kept too, so that the new one is cancelled at once.
 * @param {Step[]} steps @param {number} from the last index that is kept
 */
export function plan(steps, from) {
  const all = choices(steps);
  const again = all.filter((step) => step.index > from);
  return {
    kept: all.filter((step) => step.index <= from),
    again,
    effects: again.filter(hasEffect),
    cancelled: all.some((step) => step.kind === "cancelled" && step.index <= from),
  };
}

/** Whether it changed something outside of the journal. @param {Step} step */
export function hasEffect(step) {
  if (!EFFECTS.has(step.kind)) return false;
  // A run that failed for good, or was not through, may have had its effect all the same.
  return step.kind !== "run" || step.state !== "waiting";
}

/** Where people most likely want to begin: before what failed or was cancelled. @param {Step[]} steps @param {Limit} limit */
export function likely(steps, limit) {
  const wrong = choices(steps).find((step) => step.kind === "cancelled") ?? choices(steps).findLast((step) => step.state === "failed");
  return wrong ? Math.max(0, Math.min(keptBefore(wrong), limit.last)) : 0;
}
