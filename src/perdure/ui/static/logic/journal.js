// @ts-check
/** A journal as steps: each command with its completion is one, and so is what happened from outside. */
import { awakeableId } from "./payload.js";
import { duration, millis } from "./time.js";

/** Sign, tone and word of the states of a step. @type {Record<string, [sign: string, tone: string, word: string]>} */
const STATES = {
  ok: ["✓", "ok", "done"],
  failed: ["✕", "fail", "failed"],
  running: ["▶", "run", "running"],
  waiting: ["◌", "wait", "waiting"],
  retrying: ["↻", "retry", "retrying"],
  paused: ["‖", "hold", "paused"],
  open: ["⊘", "idle", "never finished"],
  note: ["·", "idle", ""],
};

/** @param {Step} step */
export function lookOf({ state, kind }) {
  const [sign, tone, word] = STATES[state];
  return { sign, tone, word: word || kind };
}

const quote = (text = "") => JSON.stringify(text);
const run = (name = "") => `run(${quote(name)})`;
const verb = (fails = false) => (fails ? "reject" : "resolve");
// Some milliseconds pass between what was asked for and its entry in the journal.
const asked = (ms = 0) => duration(ms < 10000 ? ms : Math.round(ms / 1000) * 1000);

/** @type {Record<string, Reading>} */
const COMMANDS = {
  Input: ["input", "input"],
  Output: ["output", (f, at, fails) => (fails ? "throw" : "return")],
  Run: ["run", "run($)"],
  Sleep: ["sleep", (f, at) => `sleep ${asked(f.wake_up_time - at)}`],
  Call: ["call", (f) => `call(${target(f)}`],
  OneWayCall: ["send", (f, at) => `send(${target(f)}${f.invoke_time > at ? ` in ${asked(f.invoke_time - at)}` : ""}`],
  GetLazyState: ["get", "get($)"],
  GetEagerState: ["get", "get($)"],
  GetLazyStateKeys: ["keys", "state_keys()"],
  GetEagerStateKeys: ["keys", "state_keys()"],
  SetState: ["set", "set($)"],
  ClearState: ["clear", "clear($)"],
  ClearAllState: ["clear", "clear_all()"],
  GetPromise: ["promise", "promise($)"],
  PeekPromise: ["promise", "promise($).peek()"],
  CompletePromise: ["resolve", (f, at, fails) => `promise(${quote(f.key)}).${verb(fails)}(…)`],
  CompleteAwakeable: ["resolve", (f, at, fails) => `${verb(fails)}_awakeable(${f.id?.slice(0, 12)}…)`],
  SendSignal: ["signal", (f) => `signal(${quote(f.signal_id?.Name ?? f.signal_id?.Index)})`],
  Cancel: ["cancel", "cancel(…)"],
  AttachInvocation: ["attach", "attach(…)"],
  GetInvocationOutput: ["attach", "output(…)"],
};

/** @param {any} fields of a call */
function target({ invocation_target: called }) {
  const [{ name, key, handler }] = /** @type {any[]} */ (Object.values(called ?? { none: {} }));
  return `${key === undefined ? name : `${name}/${key}`}).${handler}(…)`;
}

/** Commands of whose value the short form tells nothing. */
const SILENT = ["Input", "Call", "OneWayCall", "SetState", "CompletePromise"];
const CANCEL_SIGNAL = 1;
const opened = new WeakMap();

/** @param {any} row of `sys_journal` */
const openEntry = (row) => opened.get(row) ?? opened.set(row, entryOf(row)).get(row);

/** The short form of an entry tells what it is, the long one what it carries. @param {any} row */
function entryOf(row) {
  const { Command, Notification } = JSON.parse(row.entry_lite_json);
  const long = JSON.parse(row.entry_json ?? "{}");
  const entry = { index: row.index, at: Date.parse(row.appended_at) };
  if (Notification) {
    const [body] = Object.values(long.Notification?.Completion ?? long.Notification ?? {});
    const fields = { ...Notification, ...body, ...Notification.id };
    return { ...entry, fields, outcome: carried(row, fields) };
  }
  const [command] = Object.keys(Command);
  const body = long.Command?.[command];
  const value = SILENT.includes(command) ? "Success" : undefined;
  const fields = { value, ...Command[command], ...body, ...body?.request };
  const cancels = fields.signal_id?.Index === CANCEL_SIGNAL;
  return { ...entry, command: cancels ? "Cancel" : command, fields, outcome: carried(row, fields) };
}

/** @param {any} row @param {any} fields @returns {Outcome | null} */
function carried({ index, raw_length: size }, fields) {
  const { state_keys: StateKeys, result, value = result, parameter = value, payload = parameter } = fields;
  if (!payload && !StateKeys) return null;
  if (typeof payload === "string") return { kind: payload, index, size };
  const found = StateKeys ? { StateKeys } : Array.isArray(payload) ? { Success: payload } : payload;
  const [kind] = Object.keys(found);
  return { kind, value: found[kind], index, size };
}

/** @type {Step} */
export const BLANK = {
  key: "", index: -1, place: Infinity, kind: "other", code: "", name: "", state: "note", begin: 0, end: null,
  input: null, outcome: null, child: null, tries: [], headers: [], awakeable: null, until: null, answer: null,
  completion: null, text: "", who: "", reason: "",
};

/** @param {Partial<Step>} fields @returns {Step} */
function stepWith(fields) {
  return { ...BLANK, end: fields.begin ?? 0, tries: [], ...fields, text: fields.text ?? "" };
}

const ended = (/** @type {Outcome | null} */ outcome) => (outcome?.kind === "Failure" ? "failed" : "ok");

/** @param {any} entry */
function commandStep({ command, fields, index, at, outcome }) {
  const [kind, code] = COMMANDS[command] ?? ["other", command];
  const completion = fields.result_completion_id ?? fields.completion_id ?? null;
  const returns = ["output", "get", "keys"].includes(kind);
  return stepWith({
    key: `${index}`, index, place: index, kind, begin: at, end: completion === null ? at : null, completion,
    code: typeof code === "string"
      ? code.replace("$", () => quote(fields.key ?? fields.name))
      : code(fields, at, ended(outcome) === "failed"),
    name: kind === "run" ? "" : (fields.name ?? ""), state: kind === "output" ? ended(outcome) : "ok",
    [returns ? "outcome" : "input"]: outcome, headers: fields.headers ?? [], text: fields.idempotency_key,
    child: fields.invocation_id ?? fields.target_invocation_id ?? fields.target?.InvocationId ?? null,
    awakeable: fields.id ?? null, until: fields.wake_up_time ?? null,
  });
}

/** @param {string} id of the invocation @param {any} entry */
function signalStep(id, { fields: { SignalIndex: number, SignalName: name }, index, at, outcome }) {
  const made = { key: `${index}`, index, place: index, begin: at, answer: index };
  if (number === CANCEL_SIGNAL) return stepWith({ ...made, kind: "cancelled", code: "cancellation asked for" });
  const done = { ...made, outcome, state: ended(outcome) };
  if (name) return stepWith({ ...done, kind: "signal", code: `signal(${quote(name)})` });
  return stepWith({ ...done, kind: "awakeable", code: "awakeable", awakeable: awakeableId(id, number) });
}

/** @param {any[]} journal @param {string} id */
function journalSteps(journal, id) {
  /** @type {Step[]} */
  const steps = [];
  /** By what they wait for; a handler may use a number twice. @type {Record<string, Step[]>} */
  const open = {};
  for (const entry of journal.map(openEntry)) {
    const { command, fields, at, index, outcome } = entry;
    if (command) {
      const step = commandStep(entry);
      steps.push(step);
      if (step.completion !== null) (open[`${command} ${step.completion}`] ??= []).push(step);
    } else if (fields.ty === "Signal") steps.push(signalStep(id, entry));
    else {
      const step = open[`${fields.ty?.Completion} ${fields.CompletionId}`]?.shift();
      if (step) Object.assign(step, { end: at, answer: index, outcome, state: ended(outcome) });
    }
  }
  return steps;
}

/** Kind, code and state of events. @type {Record<string, [kind: string, code: string, state: string]>} */
const HAPPENINGS = {
  TransientError: ["failure", "attempt failed", "failed"],
  Paused: ["paused", "paused", "paused"],
  Operation: ["operation", "", "note"],
  CancelGraceOver: ["other", "cancel grace over", "note"],
};

/** guilty: code of the step whose try failed. @param {any} one a row of `sys_journal_events` */
function happened({ sequence, event_type: type, event_json, appended_at, after_journal_entry_index: after = -1 }) {
  const event = JSON.parse(event_json);
  const begin = Date.parse(appended_at);
  const [kind, code, state] = HAPPENINGS[type] ?? ["other", type, "note"];
  const message = event.error_message ?? event.last_failure?.error_message ?? "";
  const why = event.restate_doc_error_code ?? event.error_code;
  const step = stepWith({
    key: `e${sequence}`, place: after + 0.5, kind, code: event.operation ?? code, state, begin, who: event.actor ?? "",
    reason: event.reason ?? "", child: event.new_invocation_id ?? null, text: message || event.callees?.join(", "),
    tries: kind === "failure" ? [{ at: begin, message, trace: event.error_stacktrace ?? "", code: why }] : [],
  });
  return { step, guilty: event.related_command_type === "Run" && run(event.related_command_name) };
}

/** What came of a step that has no end yet. @param {InvocationRow} row @param {Step} step */
function unfinished({ status, completed_at, last_failure_related_command_name: related }, step) {
  if (completed_at) return "open";
  if (status === "paused") return "paused";
  if (step.kind !== "run" || status === "suspended") return "waiting";
  if (status !== "backing-off") return "running";
  return !related || step.code === run(related) ? "retrying" : "waiting";
}

/** @param {InvocationRow} row */
function lifeSteps(row) {
  const created = Date.parse(row.created_at);
  const running = millis(row.running_at) ?? 0;
  /** @type {Record<string, string>} */
  const origins = { ingress: "a request", service: row.invoked_by_target ?? "a call", restart_as_new: "a restart" };
  const origin = origins[row.invoked_by];
  const failure = row.completion_failure;
  return [
    { key: "created", begin: created, place: -3, text: origin && `by ${origin}` },
    { key: "started", begin: running > created + 50 ? running : 0, place: -2 },
    { key: "completed", begin: millis(row.completed_at) ?? 0, state: failure ? "failed" : "ok", text: failure },
  ].filter((one) => one.begin).map((one) => stepWith({ kind: "life", code: one.key, ...one }));
}

/**
 * @param {InvocationRow} row @param {any[]} journal rows of `sys_journal` in order
 * @param {any[]} happenings rows of `sys_journal_events` @returns {Step[]} in the order of the journal
 */
export function stepsOf(row, journal, happenings) {
  const steps = journalSteps(journal, row.id);
  const end = millis(row.completed_at) ?? Infinity;
  for (const step of steps.filter((one) => one.end === null)) {
    step.state = unfinished(row, step);
    if (row.completed_at) step.end = Math.max(end, step.begin);
  }
  const all = [...lifeSteps(row), ...steps];
  for (const { step, guilty } of happenings.map(happened)) {
    const failed = steps.findLast((one) => one.place < step.place && one.code === guilty);
    if (failed) failed.tries.push(...step.tries);
    else all.push(step.begin > end && step.kind === "operation" ? { ...step, place: Infinity } : step);
  }
  return all.sort((one, other) => (one.place === other.place ? 0 : one.place - other.place));
}

/** How long it took, up to `now` while it goes on; empty for a moment. @param {Step} step */
export function took({ begin, end }, now = begin) {
  return (end ?? now) > begin ? duration((end ?? now) - begin) : "";
}
