// @ts-check
/** What an invocation waits for, in terms of its journal. */
import { BLANK } from "./journal.js";
import { awakeableId } from "./payload.js";

/**
 * kind: what it is; step: the one that waits, when there is one. id: of an awakeable. since: milliseconds, null when it is not known.
 * told: the server said so; else it is only known that it has not come.
 * @typedef {{told: boolean, kind: string, text: string, step: Step | null, id: string | null, since: number | null, until: number | null, child: string | null}} Wait
 */

const WORDS = /** @type {Record<string, string>} */ ({ sleep: "timer", call: "call", promise: "promise", attach: "invocation", run: "step" });
const CANCEL_SIGNAL = 1;

/**
 * The future as the server tells it: a tree whose leaves are `{Single: {CompletionId | SignalIndex | SignalName}}`.
 * @param {import("./status.js").Row} row @param {Step[]} steps @returns {Wait[]}
 */
export function waitsOf(row, steps) {
  const text = row.suspended_waiting_future_json ?? (row.status === "running" ? row.last_awaiting_on_future_json : null);
  if (row.status === "completed") return [];
  /** @type {any[]} */
  const leaves = [];
  if (text) collect(JSON.parse(text), leaves);
  const open = steps.filter((step) => step.completion !== null && (step.state === "waiting" || step.state === "running" || step.state === "retrying"));
  const last = steps.findLast((step) => step.index >= 0);
  const since = last ? (last.end ?? last.begin) : null;
  /** @type {Wait[]} */
  const waits = [];
  for (const leaf of leaves) {
    if (leaf.CompletionId !== undefined) {
      const step = open.find((one) => one.completion === leaf.CompletionId);
      if (step) waits.push(ofStep(step, true));
    } else if (leaf.SignalName !== undefined) {
      waits.push({ told: true, kind: "signal", text: `signal(${JSON.stringify(leaf.SignalName)})`, step: null, id: null, since, until: null, child: null });
    } else if (leaf.SignalIndex !== CANCEL_SIGNAL) {
      const id = awakeableId(row.id, leaf.SignalIndex);
      // What a running one said last may be over by now.
      if (!steps.some((step) => step.awakeable === id && step.kind === "awakeable")) waits.push({ told: true, kind: "awakeable", text: "awakeable", step: null, id, since, until: null, child: null });
    }
  }
  return waits.length || row.status !== "running" ? waits : open.map((step) => ofStep(step, false));
}

/** @param {Step} step @param {boolean} told @returns {Wait} */
function ofStep(step, told) {
  return { told, kind: WORDS[step.kind] ?? "step", text: step.code, step, id: null, since: step.begin, until: step.until, child: step.child };
}

/** @param {any} tree @param {any[]} leaves */
function collect(tree, leaves) {
  if (Array.isArray(tree)) for (const part of tree) collect(part, leaves);
  else if (tree?.Single) leaves.push(tree.Single);
  else if (tree && typeof tree === "object") for (const part of Object.values(tree)) collect(part, leaves);
}

/** Rows of the journal for what has none there: answers from outside that have not come. @param {import("./status.js").Row} row @param {Wait[]} waits @returns {Step[]} */
export function waitSteps(row, waits) {
  const paused = row.status === "paused";
  return waits.filter((wait) => wait.step === null).map(({ id, text, kind, since }) => (
    { ...BLANK, key: `w${id ?? text}`, kind, code: text, state: paused ? "paused" : "waiting", begin: since ?? 0, awakeable: id }));
}
