// @ts-check
import { awakeableId } from "./payload.js";
import { duration, millis } from "./time.js";

const STATES = {
	ok: ["✓", "ok", "done"],
	failed: ["✕", "fail", "failed"],
	running: ["▶", "run", "running"],
	waiting: ["◌", "wait", "waiting"],
	retrying: ["↻", "retry", "retrying"],
	paused: ["‖", "hold", "paused"],
	open: ["⊘", "idle", "never finished"],
	note: ["·", "idle"],
};

export function lookOf({ state, kind }) {
	const [sign, tone, word = kind] = STATES[state];
	return { sign, tone, word };
}

const quote = (text = "") => JSON.stringify(text);
const run = (name) => `run(${quote(name)})`;
// Some milliseconds pass between what was asked for and its entry in the journal.
const asked = (ms) => duration(ms < 10000 ? ms : Math.round(ms / 1000) * 1000);

// Kind, and how it reads in code: `$` is its key or name.
const COMMANDS = {
	Input: ["input", "input"],
	Output: ["output", (f, at, verb) => (verb === "reject" ? "throw" : "return")],
	Run: ["run", "run($)"],
	Sleep: ["sleep", (f, at) => `sleep ${asked(f.wake_up_time - at)}`],
	Call: ["call", (f) => `call(${target(f)}`],
	OneWayCall: ["send", (f, at) => `send(${target(f)}${f.invoke_time > at ? ` in ${asked(f.invoke_time - at)}` : ""}`],
	GetState: ["get", "get($)"],
	GetStateKeys: ["keys", "state_keys()"],
	SetState: ["set", "set($)"],
	ClearState: ["clear", "clear($)"],
	ClearAllState: ["clear", "clear_all()"],
	GetPromise: ["promise", "promise($)"],
	PeekPromise: ["promise", "promise($).peek()"],
	CompletePromise: ["resolve", (f, at, verb) => `promise(${quote(f.key)}).${verb}(…)`],
	CompleteAwakeable: ["resolve", (f, at, verb) => `${verb}_awakeable(${f.id?.slice(0, 12)}…)`],
	SendSignal: ["signal", (f) => `signal(${quote(f.signal_id?.Name ?? f.signal_id?.Index)})`],
	Cancel: ["cancel", "cancel(…)"],
	AttachInvocation: ["attach", "attach(…)"],
	GetInvocationOutput: ["attach", "output(…)"],
};

function target({ invocation_target: called = { none: {} } }) {
	const [{ name, key, handler }] = Object.values(called);
	return `${key === undefined ? name : `${name}/${key}`}).${handler}(…)`;
}

// Their short form does not tell that they have a value.
const SILENT = ["Input", "Call", "OneWayCall", "SetState", "CompletePromise"];
const CANCEL_SIGNAL = 1;
const opened = new WeakMap();
const openEntry = (row) => opened.get(row) ?? opened.set(row, entryOf(row)).get(row);

// The short form of an entry tells what it is, the long one what it carries.
function entryOf({ index, appended_at, entry_lite_json, entry_json, raw_length: size }) {
	const { Command = {}, Notification } = JSON.parse(entry_lite_json);
	const { Command: long = {}, Notification: told = {} } = JSON.parse(entry_json ?? "{}");
	const [name] = Object.keys(Command);
	const body = long[name] ?? Object.values(told.Completion ?? told)[0];
	const value = SILENT.includes(name) ? "Success" : undefined;
	const fields = { value, ...Notification, ...Command[name], ...body, ...body?.request, ...Notification?.id };
	const command = fields.signal_id?.Index === CANCEL_SIGNAL ? "Cancel" : name;
	const entry = { index, key: `${index}`, place: index, begin: Date.parse(appended_at) };
	return { entry, command, fields, outcome: carried(fields, index, size) };
}

function carried(fields, index, size) {
	const { state_keys: StateKeys, result, value = result, parameter = value, payload = parameter } = fields;
	if (!payload && !StateKeys) return null;
	if (typeof payload === "string") return { kind: payload, index, size };
	const found = StateKeys ? { StateKeys } : Array.isArray(payload) ? { Success: payload } : payload;
	const [kind] = Object.keys(found);
	return { kind, value: found[kind], index, size };
}

export const BLANK = {
	key: "", index: -1, place: Infinity, kind: "other", code: "", name: "", state: "note", begin: 0, end: null,
	input: null, outcome: null, child: null, tries: [], headers: [], awakeable: null, until: null, answer: null,
	completion: null, text: "", who: "", reason: "",
};

const stepWith = (fields) => ({ ...BLANK, end: fields.begin, tries: [], ...fields });

const ended = (outcome) => (outcome?.kind === "Failure" ? "failed" : "ok");

function commandStep({ entry, command, fields, outcome }) {
	const [kind, code] = COMMANDS[command.replace(/Lazy|Eager/, "")] ?? ["other", command];
	const { key, name = "", headers = [] } = fields;
	const completion = fields.result_completion_id ?? fields.completion_id ?? null;
	const state = ended(outcome);
	return stepWith({
		...entry, kind, headers, completion, end: completion === null ? entry.begin : null,
		code: code.replace?.("$", () => quote(key ?? name))
			?? code(fields, entry.begin, state === "ok" ? "resolve" : "reject"),
		name: kind === "run" ? "" : name, state: kind === "output" ? state : "ok",
		[/output|get|keys/.test(kind) ? "outcome" : "input"]: outcome, text: fields.idempotency_key,
		child: fields.invocation_id ?? fields.target_invocation_id ?? fields.target?.InvocationId,
		awakeable: fields.id, until: fields.wake_up_time,
	});
}

function signalStep(id, { entry, fields: { SignalIndex: number, SignalName: name }, outcome }) {
	const made = (kind, code, more) => stepWith({ ...entry, answer: entry.index, kind, code, ...more });
	if (number === CANCEL_SIGNAL) return made("cancelled", "cancellation asked for");
	const done = { outcome, state: ended(outcome) };
	if (name) return made("signal", `signal(${quote(name)})`, done);
	return made("awakeable", "awakeable", { ...done, awakeable: awakeableId(id, number) });
}

/** @type {Read} */
const UNREAD = { journal: [], steps: [], open: {} };

/** Goes on behind what is known, if the journal begins as that did: one entry more costs little. @returns {Read} */
export function read(journal, id, known = UNREAD) {
	if (!known.journal.every((row, at) => row === journal[at])) known = UNREAD;
	const [steps, open] = [[...known.steps], { ...known.open }];
	for (const one of journal.slice(known.journal.length).map(openEntry)) {
		const { entry, command, fields, outcome } = one;
		if (command) {
			const step = commandStep(one);
			const waited = `${command} ${step.completion}`;
			// A handler may use a number twice.
			if (step.completion !== null) open[waited] = [...open[waited] ?? [], steps.length];
			steps.push(step);
		} else if (fields.ty === "Signal") steps.push(signalStep(id, one));
		else {
			const waited = `${fields.ty?.Completion} ${fields.CompletionId}`;
			const [at, ...others] = open[waited] ?? [];
			if (at === undefined) continue;
			steps[at] = { ...steps[at], end: entry.begin, answer: entry.index, outcome, state: ended(outcome) };
			if (others.length) open[waited] = others;
			else delete open[waited];
		}
	}
	return { journal, steps, open };
}

const HAPPENINGS = {
	TransientError: ["failure", "attempt failed", "failed"],
	Paused: ["paused", "paused", "paused"],
	Operation: ["operation"],
	CancelGraceOver: ["other", "cancel grace over"],
};

// guilty: code of the step whose try failed.
function happened({ sequence, event_type: type, event_json, appended_at, after_journal_entry_index: after = -1 }) {
	const event = JSON.parse(event_json);
	const begin = Date.parse(appended_at);
	const [kind, word, state = "note"] = HAPPENINGS[type] ?? ["other", type];
	const message = event.error_message ?? event.last_failure?.error_message;
	const code = event.restate_doc_error_code ?? event.error_code;
	const tries = kind === "failure" ? [{ at: begin, message, trace: event.error_stacktrace, code }] : [];
	const step = stepWith({
		key: `e${sequence}`, place: after + 0.5, kind, code: event.operation ?? word, state, begin, who: event.actor,
		reason: event.reason ?? "", child: event.new_invocation_id, text: message ?? event.callees?.join(", "), tries,
	});
	return { step, guilty: event.related_command_type === "Run" && run(event.related_command_name) };
}

function unfinished({ status, completed_at, last_failure_related_command_name: related }, step) {
	if (completed_at) return "open";
	if (status === "paused") return "paused";
	if (step.kind !== "run" || status === "suspended") return "waiting";
	if (status !== "backing-off") return "running";
	return !related || step.code === run(related) ? "retrying" : "waiting";
}

function lifeSteps({ created_at, running_at, completed_at, invoked_by, invoked_by_target, completion_failure: text }) {
	const created = Date.parse(created_at);
	const running = millis(running_at) ?? 0;
	const origins = { ingress: "a request", service: invoked_by_target ?? "a call", restart_as_new: "a restart" };
	const origin = origins[invoked_by];
	return [
		{ code: "created", begin: created, place: -3, text: origin && `by ${origin}` },
		{ code: "started", begin: running > created + 50 && running, place: -2 },
		{ code: "completed", begin: millis(completed_at), state: text ? "failed" : "ok", text },
	].filter(({ begin }) => begin).map((one) => stepWith({ kind: "life", key: one.code, ...one }));
}

/** In the order of the journal. @returns {Step[]} */
export function stepsOf(row, journal, happenings, { steps } = read(journal, row.id)) {
	const end = millis(row.completed_at) ?? Infinity;
	const all = [...lifeSteps(row), ...steps].map((one) => (one.end !== null ? one
		: { ...one, state: unfinished(row, one), end: row.completed_at ? Math.max(end, one.begin) : null }));
	for (const { step, guilty } of happenings.map(happened)) {
		const at = all.findLastIndex((one) => one.place < step.place && one.code === guilty);
		if (at >= 0) all[at] = { ...all[at], tries: [...all[at].tries, ...step.tries] };
		else all.push(step.begin > end && step.kind === "operation" ? { ...step, place: Infinity } : step);
	}
	return all.sort((one, other) => one.place - other.place || 0);
}

// Up to `now` while it goes on; empty for a moment.
export function took({ begin, end }, now = begin) {
	const length = (end ?? now) - begin;
	return length > 0 ? duration(length) : "";
}
