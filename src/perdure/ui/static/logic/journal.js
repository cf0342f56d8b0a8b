// @ts-check
/** A journal as steps: each command with its completion is one, and so is what happened from outside. */
import { awakeableId } from "./payload.js";
import { duration, millis } from "./time.js";

/** @typedef {import("./status.js").Row} Row */

/**
 * bytes: null when they were not sent; they are asked for by `index`. keys: names of a state. text: what is known besides.
 * @typedef {{kind: "success" | "failure" | "void" | "keys" | "id", bytes: number[] | null, code?: number, message?: string,
 *   metadata?: any, keys?: string[], index: number, type: string, size: number}} Outcome
 */

/**
 * key: names the step in the address. index: of the entry in the journal, -1 for what is not in it. sign, tone: as of statuses.
 * begin, end: milliseconds; end null: it goes on. child: the invocation that it called, sent or asked for.
 * answer: index of the entry with the outcome. completion: the number under which that comes.
 * @typedef {{key: string, index: number, kind: string, code: string, name: string, state: string, begin: number, end: number | null,
 *   input: Outcome | null, outcome: Outcome | null, child: string | null, tries: {at: number, message: string, trace: string, code: any}[],
 *   headers: {name: string, value: string}[], awakeable: string | null, until: number | null, answer: number | null, completion: number | null,
 *   text: string, who: string, reason: string, operation: string}} Step
 */

/** How the state of a step looks. @type {Record<string, {sign: string, tone: string, word: string}>} */
export const STATES = {
  ok: { sign: "✓", tone: "ok", word: "done" },
  failed: { sign: "✕", tone: "fail", word: "failed" },
  running: { sign: "▶", tone: "run", word: "running" },
  waiting: { sign: "◌", tone: "wait", word: "waiting" },
  retrying: { sign: "↻", tone: "retry", word: "retrying" },
  paused: { sign: "‖", tone: "hold", word: "paused" },
  open: { sign: "⊘", tone: "idle", word: "never finished" },
  note: { sign: "·", tone: "idle", word: "" },
};

/** @type {WeakMap<object, any>} */
const decoded = new WeakMap();

/** @param {any} entry a row of `sys_journal` */
function decode(entry) {
  let known = decoded.get(entry);
  if (!known) {
    known = opened(entry);
    decoded.set(entry, known);
  }
  return known;
}

/** @param {any} entry */
function opened(entry) {
  const lite = !entry.entry_json;
  const { Command: command, Notification: notification } = JSON.parse(entry.entry_json ?? entry.entry_lite_json ?? "{}");
  const made = { index: entry.index, at: millis(entry.appended_at) ?? 0, size: entry.raw_length, type: entry.entry_type, lite };
  if (command) {
    const [name] = Object.keys(command);
    const fields = command[name];
    return { ...made, command: name, fields: { ...fields, ...fields.request } };
  }
  if (notification?.ty) {
    const { ty, id, result } = notification;
    if (ty === "Signal") return { ...made, signal: { Index: id.SignalIndex, Name: id.SignalName }, result };
    return { ...made, completion: ty.Completion, id: id.CompletionId, result };
  }
  if (notification?.Signal) return { ...made, signal: notification.Signal.id, result: notification.Signal.result };
  const [name] = Object.keys(notification?.Completion ?? { Unknown: 0 });
  const fields = notification?.Completion?.[name] ?? {};
  const result = fields.result ?? (fields.state_keys ? { StateKeys: fields.state_keys } : fields.invocation_id ? "InvocationId" : "Void");
  return { ...made, completion: name, id: fields.completion_id, invocation: fields.invocation_id, result };
}

/** @param {any} entry decoded @param {any} result @returns {Outcome} */
function outcome(entry, result) {
  const made = { bytes: null, index: entry.index, type: entry.type, size: entry.size };
  if (result === "Success") return { ...made, kind: "success" };
  if (result === "Failure") return { ...made, kind: "failure", message: "failed" };
  if (result?.Success) return { ...made, kind: "success", bytes: result.Success };
  if (result?.Failure) return { ...made, kind: "failure", ...result.Failure };
  if (result?.StateKeys) return { ...made, kind: "keys", keys: result.StateKeys };
  return { ...made, kind: result === "InvocationId" ? "id" : "void" };
}

/** @param {any} entry decoded @param {number[] | undefined} bytes @returns {Outcome | null} */
function input(entry, bytes) {
  if (bytes === undefined && !entry.lite) return null;
  return { kind: "success", bytes: bytes ?? null, index: entry.index, type: entry.type, size: entry.size };
}

/** @param {any} target of a call, in the JSON of an entry */
function targetText(target) {
  const [fields] = Object.values(target ?? { none: {} });
  return { service: [fields.name, fields.key].filter((part) => part !== undefined).join("/"), handler: fields.handler ?? "" };
}

const quote = /** @param {any} text */ (text) => JSON.stringify(text ?? "");

/** The code of a command, and what else is peculiar to its kind. @param {any} entry decoded @returns {Partial<Step>} */
function written(entry) {
  const { command, fields: f, at } = entry;
  const target = targetText(f.invocation_target);
  switch (command) {
    case "Input": return { kind: "input", code: "input", input: input(entry, f.payload), headers: f.headers ?? [] };
    case "Output": return { kind: "output", code: f.result === "Failure" || f.result?.Failure ? "throw" : "return", outcome: outcome(entry, f.result) };
    case "Run": return { kind: "run", code: `run(${quote(f.name)})` };
    case "Sleep": return { kind: "sleep", code: `sleep ${duration(slept(f.wake_up_time - at))}`, until: f.wake_up_time };
    case "Call": return { kind: "call", code: `call(${target.service}).${target.handler}(…)`, child: f.invocation_id, input: input(entry, f.parameter), headers: f.headers ?? [] };
    case "OneWayCall": return {
      kind: "send", code: `send(${target.service}).${target.handler}(…)${f.invoke_time > at ? ` in ${duration(slept(f.invoke_time - at))}` : ""}`,
      child: f.invocation_id, input: input(entry, f.parameter), headers: f.headers ?? [], text: f.idempotency_key ?? "" };
    case "GetLazyState": case "GetEagerState": return { kind: "get", code: `get(${quote(f.key)})`, ...(f.result ? { outcome: outcome(entry, f.result) } : {}) };
    case "GetLazyStateKeys": case "GetEagerStateKeys": return { kind: "keys", code: "state_keys()", ...(f.state_keys ? { outcome: outcome(entry, { StateKeys: f.state_keys }) } : {}) };
    case "SetState": return { kind: "set", code: `set(${quote(f.key)})`, input: input(entry, f.value) };
    case "ClearState": return { kind: "clear", code: `clear(${quote(f.key)})` };
    case "ClearAllState": return { kind: "clear", code: "clear_all()" };
    case "GetPromise": return { kind: "promise", code: `promise(${quote(f.key)})` };
    case "PeekPromise": return { kind: "promise", code: `promise(${quote(f.key)}).peek()` };
    case "CompletePromise": return { kind: "resolve", code: `promise(${quote(f.key)}).${f.value?.Failure ? "reject" : "resolve"}(…)`, input: input(entry, f.value?.Success) };
    case "CompleteAwakeable": return { kind: "resolve", code: `${f.result?.Failure ? "reject" : "resolve"}_awakeable(${f.id?.slice(0, 12)}…)`, input: input(entry, f.result?.Success), awakeable: f.id };
    case "SendSignal": {
      const cancels = f.signal_id?.Index === 1;
      const name = f.signal_id?.Name ?? f.signal_id?.Index;
      return { kind: cancels ? "cancel" : "signal", code: cancels ? "cancel(…)" : `signal(${quote(name)})`, child: f.target_invocation_id };
    }
    case "AttachInvocation": return { kind: "attach", code: "attach(…)", child: f.target?.InvocationId ?? null };
    case "GetInvocationOutput": return { kind: "attach", code: "output(…)", child: f.target?.InvocationId ?? null };
    default: return { kind: "other", code: command };
  }
}

/** What was asked for: some milliseconds pass before it is in the journal. @param {number} ms */
function slept(ms) {
  return ms < 10000 ? ms : Math.round(ms / 1000) * 1000;
}

/** @type {Step} */
export const BLANK = {
  key: "", index: -1, kind: "other", code: "", name: "", state: "note", begin: 0, end: 0, input: null, outcome: null, child: null,
  tries: [], headers: [], awakeable: null, until: null, answer: null, completion: null, text: "", who: "", reason: "", operation: "",
};

/** @param {Row} row @param {any} entry decoded @returns {Step} */
function signalStep(row, entry) {
  const { Index: number, Name: name } = entry.signal;
  const made = { ...BLANK, key: String(entry.index), index: entry.index, begin: entry.at, end: entry.at, outcome: outcome(entry, entry.result), answer: entry.index };
  const state = made.outcome.kind === "failure" ? "failed" : "ok";
  if (number === 1) return { ...made, kind: "cancelled", code: "cancellation asked for", outcome: null };
  if (name !== undefined) return { ...made, kind: "signal", code: `signal(${quote(name)})`, state };
  return { ...made, kind: "awakeable", code: "awakeable", state, awakeable: awakeableId(row.id, number) };
}

/**
 * @param {Row} row of `sys_invocation` @param {any[]} journal rows of `sys_journal` in order @param {any[]} happenings rows of `sys_journal_events`
 * @returns {Step[]} in the order of the journal
 */
export function stepsOf(row, journal, happenings) {
  /** @type {Step[]} */
  const steps = [];
  /** @type {Map<string, Step[]>} by what they wait for; a handler may use a number twice */
  const open = new Map();
  const waits = (/** @type {string} */ key, /** @type {Step} */ step) => open.set(key, [...(open.get(key) ?? []), step]);
  for (const raw of journal) {
    const entry = decode(raw);
    if (entry.command) {
      /** @type {Step} */
      const step = { ...BLANK, tries: [], key: String(entry.index), index: entry.index, begin: entry.at, end: entry.at, state: "ok", name: entry.fields.name || "", ...written(entry) };
      if (step.kind === "run") step.name = "";
      const id = entry.fields.result_completion_id ?? entry.fields.completion_id;
      if (id !== undefined) {
        step.end = null;
        step.completion = id;
        waits(`${entry.command}:${id}`, step);
      }
      if (entry.command === "Output" && step.outcome?.kind === "failure") step.state = "failed";
      steps.push(step);
    } else if (entry.signal) steps.push(signalStep(row, entry));
    else if (entry.completion !== "CallInvocationId") {
      const step = open.get(`${entry.completion}:${entry.id}`)?.shift();
      if (!step) continue;
      step.end = entry.at;
      step.answer = entry.index;
      step.outcome = outcome(entry, entry.result);
      step.state = step.outcome.kind === "failure" ? "failed" : "ok";
    }
  }
  return settled(row, withHappenings(row, steps, happenings), happenings);
}

/** States of what is not finished, by the state of the whole. @param {Row} row @param {Step[]} steps @param {any[]} happenings */
function settled(row, steps, happenings) {
  const ended = millis(row.completed_at);
  const related = row.last_failure_related_command_name;
  for (const step of steps) {
    if (step.end !== null) continue;
    if (ended !== null) Object.assign(step, { end: Math.max(ended, step.begin), state: "open" });
    else if (step.kind !== "run") step.state = row.status === "paused" ? "paused" : "waiting";
    else if (row.status === "backing-off") step.state = !related || step.code === `run(${quote(related)})` ? "retrying" : "waiting";
    else step.state = row.status === "paused" ? "paused" : row.status === "suspended" ? "waiting" : "running";
  }
  return [...opening(row, steps), ...steps, ...closing(row, happenings)];
}

/** @param {Row} row @param {Step[]} steps */
function opening(row, steps) {
  const created = millis(row.created_at) ?? steps[0]?.begin ?? 0;
  const rows = [{ ...BLANK, key: "created", kind: "life", code: "created", begin: created, end: created, text: origin(row) }];
  const running = millis(row.running_at);
  if (running !== null && running - created > 50) rows.push({ ...BLANK, key: "started", kind: "life", code: "started", begin: running, end: running });
  return rows;
}

/** @param {Row} row */
function origin(row) {
  const by = { ingress: "by a request", service: `by ${row.invoked_by_target ?? "a call"}`, restart_as_new: "by a restart" };
  return by[/** @type {keyof typeof by} */ (row.invoked_by)] ?? "";
}

/** @param {Row} row @param {any[]} happenings */
function closing(row, happenings) {
  const ended = millis(row.completed_at);
  if (ended === null) return [];
  const after = happenings.filter((one) => (millis(one.appended_at) ?? 0) > ended && one.event_type === "Operation");
  const failed = row.completion_result === "failure";
  const end = { ...BLANK, key: "completed", kind: "life", code: "completed", begin: ended, end: ended, state: failed ? "failed" : "ok", text: failed ? row.completion_failure ?? "" : "" };
  return [end, ...after.map(happened)];
}

/** @param {any} one a row of `sys_journal_events` @returns {Step} */
function happened(one) {
  const event = JSON.parse(one.event_json);
  const at = millis(one.appended_at) ?? 0;
  const made = { ...BLANK, key: `e${one.sequence}`, begin: at, end: at, tries: [] };
  if (one.event_type === "Operation") {
    return { ...made, kind: "operation", code: event.operation, operation: event.operation, who: event.actor ?? "", reason: event.reason ?? "", child: event.new_invocation_id ?? null };
  }
  if (one.event_type === "TransientError") return { ...made, kind: "failure", code: "attempt failed", state: "failed", text: event.error_message ?? "", tries: [attempt(event, at)] };
  if (one.event_type === "Paused") return { ...made, kind: "paused", code: "paused", state: "paused", text: event.last_failure?.error_message ?? "" };
  return { ...made, kind: "other", code: one.event_type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase(), text: (event.callees ?? event.invocation_ids ?? []).join(", ") };
}

/** @param {any} event @param {number} at */
function attempt(event, at) {
  return { at, message: event.error_message ?? "", trace: event.error_stacktrace ?? "", code: event.restate_doc_error_code ?? event.error_code };
}

/** @param {Row} row @param {Step[]} steps @param {any[]} happenings */
function withHappenings(row, steps, happenings) {
  const ended = millis(row.completed_at) ?? Infinity;
  /** @type {{after: number, step: Step}[]} */
  const own = [];
  for (const one of happenings) {
    const at = millis(one.appended_at) ?? 0;
    if (one.event_type === "Operation" && at > ended) continue;
    const after = one.after_journal_entry_index ?? -1;
    const guilty = one.event_type === "TransientError" ? guiltyStep(steps, JSON.parse(one.event_json), after) : undefined;
    if (guilty) guilty.tries.push(attempt(JSON.parse(one.event_json), at));
    else own.push({ after, step: happened(one) });
  }
  if (!own.length) return steps;
  const merged = [];
  let next = 0;
  for (const step of steps) {
    while (next < own.length && own[next].after < step.index) merged.push(own[next++].step);
    merged.push(step);
  }
  return [...merged, ...own.slice(next).map(({ step }) => step)];
}

/** The step whose try failed. @param {Step[]} steps @param {any} event @param {number} after */
function guiltyStep(steps, event, after) {
  if (!event.related_command_type) return undefined;
  const code = event.related_command_type === "Run" ? `run(${quote(event.related_command_name)})` : "";
  return steps.findLast((step) => step.index <= after && step.index > 0 && code !== "" && step.code === code);
}

/** The state in words, for those who do not see the sign. @param {Step} step */
export function stateWord(step) {
  return STATES[step.state].word || step.kind;
}
