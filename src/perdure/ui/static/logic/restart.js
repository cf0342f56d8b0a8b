// @ts-check
/** From where an invocation can be run again: the server's rules, said before it is asked. */

const EFFECTS = ["run", "call", "send", "signal", "cancel", "resolve", "set", "clear"];

/** All up to the first command without its completion, and never the output. @param {Step[]} steps */
export function limitOf(steps, size = 0) {
  const end = steps.find((step) => step.kind === "output" || (step.completion !== null && step.answer === null));
  const why = end?.kind === "output" ? "nothing would be left to run" : `${end?.code} has no result that could be kept`;
  return { last: (end?.index ?? size) - 1, why };
}

/** Steps at which one can choose to begin again. @param {Step[]} steps */
export const choices = (steps) => steps.filter((step) => step.index > 0 && step.kind !== "output");

/** The last index that is kept where a step runs again. @param {Step} step */
export const keptBefore = (step) => step.index - 1;

/** What a restart keeps, up to the index `from`, and what it does once more. @param {Step[]} steps */
export function plan(steps, from = 0) {
  const [kept, again] = [true, false].map((keeps) => steps.filter((step) => step.index <= from === keeps));
  return { kept, again, effects: again.filter(hasEffect), cancelled: kept.some((step) => step.kind === "cancelled") };
}

/** Whether it did something outside of the journal, as a run may have that failed. @param {Step} step */
export const hasEffect = ({ kind, state }) => EFFECTS.includes(kind) && (kind !== "run" || state !== "waiting");

/** Where people most likely want to begin: before what went wrong. @param {Step[]} steps @param {Limit} limit */
export function likely(steps, limit) {
  const wrong = steps.find((step) => step.kind === "cancelled") ?? steps.findLast((step) => step.state === "failed");
  return wrong ? Math.max(0, Math.min(keptBefore(wrong), limit.last)) : 0;
}
