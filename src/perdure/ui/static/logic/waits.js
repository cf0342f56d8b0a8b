// @ts-check
/** What an invocation waits for, in terms of its journal. */
import { BLANK } from "./journal.js";
import { awakeableId } from "./payload.js";

/** @typedef {import("./journal.js").Step} Step */
/** @typedef {Waiting} Wait */

const WORDS = /** @type {Record<string, string>} */ ({ sleep: "timer", call: "call", promise: "promise", attach: "invocation" });
const CANCEL_SIGNAL = 1;

/** @param {import("./status.js").Row} row @param {Step[]} steps @returns {Wait[]} */
export function waitsOf(row, steps) {
  if (row.status === "completed") return [];
  const text = row.suspended_waiting_future_json ?? (row.status === "running" ? row.last_awaiting_on_future_json : null);
  const open = steps.filter((step) => step.completion !== null && ["waiting", "running", "retrying"].includes(step.state));
  const last = steps.findLast((step) => step.index >= 0);
  const outside = { told: true, step: null, id: null, since: last ? last.end ?? last.begin : null, until: null, child: null };
  const waits = leaves(text ? JSON.parse(text) : null).flatMap(({ CompletionId, SignalName, SignalIndex }) => {
    if (CompletionId !== undefined) return open.filter((step) => step.completion === CompletionId).slice(0, 1).map((step) => ofStep(step, true));
    if (SignalName !== undefined) return { ...outside, kind: "signal", text: `signal(${JSON.stringify(SignalName)})` };
    const id = awakeableId(row.id, SignalIndex);
    // What a running one said last may be over by now.
    if (SignalIndex === CANCEL_SIGNAL || steps.some((step) => step.awakeable === id && step.kind === "awakeable")) return [];
    return { ...outside, kind: "awakeable", text: "awakeable", id };
  });
  return waits.length || row.status !== "running" ? waits : open.map((step) => ofStep(step, false));
}

/** @param {Step} step @param {boolean} told @returns {Wait} */
function ofStep(step, told) {
  return { told, kind: WORDS[step.kind] ?? "step", text: step.code, step, id: null, since: step.begin, until: step.until, child: step.child };
}

/** Of a future as the server tells it: a tree of `{Single: {CompletionId | SignalIndex | SignalName}}`. @param {any} tree @returns {any[]} */
function leaves(tree) {
  if (!tree || typeof tree !== "object") return [];
  return tree.Single ? [tree.Single] : Object.values(tree).flatMap(leaves);
}

/** Rows of the journal for what has none there: answers from outside that have not come. @param {import("./status.js").Row} row @param {Wait[]} waits @returns {Step[]} */
export function waitSteps(row, waits) {
  const state = row.status === "paused" ? "paused" : "waiting";
  return waits.filter((wait) => !wait.step).map(({ id, text, kind, since }) => (
    { ...BLANK, key: `w${id ?? text}`, kind, code: text, state, begin: since ?? 0, end: null, awakeable: id }));
}

/** How the page of waits names it in its address, if it can be answered there. @param {import("./status.js").Row} row @param {Wait} wait @returns {Record<string, string> | null} */
export function answerTo(row, { id, text }) {
  if (id) return { id };
  const [, kind, name] = /^(signal|promise)\((".*")\)$/.exec(text) ?? [];
  if (kind === "signal") return { id: row.id, signal: JSON.parse(name) };
  return kind ? { service: row.target_service_name, key: row.target_service_key, promise: JSON.parse(name) } : null;
}
