// @ts-check
/** What an invocation waits for, in terms of its journal. */
import { BLANK } from "./journal.js";
import { awakeableId } from "./payload.js";

/** @type {Record<string, string>} */
const WORDS = { sleep: "timer", call: "call", promise: "promise", attach: "invocation" };
const CANCEL_SIGNAL = 1;

/** @param {any} row of `sys_invocation` @param {Step[]} steps @returns {Waiting[]} */
export function waitsOf(row, steps) {
  const { id, status, suspended_waiting_future_json: suspended, last_awaiting_on_future_json: last } = row;
  if (status === "completed") return [];
  const open = steps.filter(({ completion, state }) => completion !== null && /waiting|running|retrying/.test(state));
  const newest = steps.findLast((step) => step.index >= 0);
  const since = newest ? newest.end ?? newest.begin : null;
  const outside = { told: true, step: null, id: null, since, until: null, child: null };
  const future = JSON.parse(suspended ?? (status === "running" && last) ?? "null");
  const waits = leaves(future).flatMap(({ CompletionId: completion, SignalName: name, SignalIndex: signal }) => {
    const step = completion !== undefined && open.find((one) => one.completion === completion);
    if (step) return ofStep(step, true);
    if (name !== undefined) return { ...outside, kind: "signal", text: `signal(${JSON.stringify(name)})` };
    if (signal === undefined || signal === CANCEL_SIGNAL) return [];
    const awakeable = awakeableId(id, signal);
    // What a running one said last may be over by now.
    const over = steps.some((one) => one.awakeable === awakeable && one.kind === "awakeable");
    return over ? [] : { ...outside, kind: "awakeable", text: "awakeable", id: awakeable };
  });
  return waits.length || status !== "running" ? waits : open.map((step) => ofStep(step));
}

/** @param {Step} step @returns {Waiting} */
function ofStep(step, told = false) {
  const { kind, code, begin, until, child } = step;
  return { told, kind: WORDS[kind] ?? "step", text: code, step, id: null, since: begin, until, child };
}

/** Of a tree as the server tells it: `{Single: {CompletionId | SignalIndex | SignalName}}`. @returns {any[]} */
function leaves(/** @type {any} */ tree) {
  if (!tree || typeof tree !== "object") return [];
  return tree.Single ? [tree.Single] : Object.values(tree).flatMap(leaves);
}

/**
 * Rows of the journal for what has none there: answers from outside that have not come.
 * @param {any} row @param {Waiting[]} waits @returns {Step[]}
 */
export function waitSteps(row, waits) {
  const state = row.status === "paused" ? "paused" : "waiting";
  return waits.filter((wait) => !wait.step).map(({ id, text, kind, since }) =>
    ({ ...BLANK, key: `w${id ?? text}`, kind, code: text, state, begin: since ?? 0, end: null, awakeable: id }));
}

/**
 * How the page of waits has it in its address, if it can be answered there.
 * @param {any} row @param {Waiting} wait @returns {Record<string, string> | null}
 */
export function answerTo(row, { id, text }) {
  if (id) return { id };
  const [, kind, name] = /^(signal|promise)\((".*")\)$/.exec(text) ?? [];
  if (kind === "signal") return { id: row.id, signal: JSON.parse(name) };
  return kind ? { service: row.target_service_name, key: row.target_service_key, promise: JSON.parse(name) } : null;
}
