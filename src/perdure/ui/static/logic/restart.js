// @ts-check
// From where an invocation can be run again: the server's rules, said before it is asked.

const EFFECTS = ["run", "call", "send", "signal", "cancel", "resolve", "set", "clear"];

/** All up to the first command without its completion, and never the output. @param {Step[]} steps */
export function limitOf(steps, size = 0) {
  const end = steps.find(({ kind, completion, answer }) =>
    kind === "output" || (completion !== null && answer === null));
  const why = end?.kind === "output" ? "nothing would be left to run" : `${end?.code} has no result that could be kept`;
  return { last: (end?.index ?? size) - 1, why };
}

/** Steps at which one can choose to begin again. @param {Step[]} steps */
export const choices = (steps) => steps.filter(({ index, kind }) => index > 0 && kind !== "output");

/** The last index that is kept where a step runs again. @param {Step} step */
export const keptBefore = ({ index }) => index - 1;

/** What a restart keeps, up to the index `from`, and what it does once more. @param {Step[]} steps */
export function plan(steps, from = 0) {
  const [kept, again] = [true, false].map((keeps) => steps.filter(({ index }) => index <= from === keeps));
  return { kept, again, effects: again.filter(hasEffect), cancelled: kept.some(wasCancelled) };
}

/** Whether it did something outside of the journal, as a run may have that failed. @param {Step} step */
export const hasEffect = ({ kind, state }) => EFFECTS.includes(kind) && (kind !== "run" || state !== "waiting");

const wasCancelled = ({ kind }) => kind === "cancelled";

/** Where people most likely want to begin: before what went wrong. @param {Step[]} steps */
export function likely(steps, last = 0) {
  const wrong = steps.find(wasCancelled) ?? steps.findLast(({ state }) => state === "failed");
  return wrong ? Math.max(0, Math.min(keptBefore(wrong), last)) : 0;
}
