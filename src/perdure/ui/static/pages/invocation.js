// @ts-check
import { About, Head } from "../components/invocation-head.js";
import {
	Keys, address, clockTime, duration, facts, go, html, idLink, link, lookOf, millis, operationKeys, serverNow,
	setSearch, took, useMemo, useNow, usePlace, useRef, useSettings, useState,
} from "../components/kit.js";
import { Absent, LIVES_MAX, NO_STORY, useStories } from "../components/lives.js";
import { JournalTable, Minimap, StepName } from "../components/timeline.js";
import { Copied, ValuePopover, ValueView } from "../components/value.js";
import { choices, keptBefore } from "../logic/restart.js";
import { ALL, gapsOf, makeAxis, viewFrom, viewText, zoom } from "../logic/timeline.js";

export function Invocation({ id }) {
	const { search } = usePlace();
	const [stopped, setStopped] = useState(0);
	const expanded = search.getAll("expand").slice(0, LIVES_MAX - 1);
	const known = useStories([id, ...expanded], !stopped);
	const story = known.get(id) ?? NO_STORY;
	return html`<${story.row ? Shown : Absent} ...${{ id, story, known, stopped, setStopped, search, expanded }} />`;
}

// Keys may come faster than the page is drawn: what they change is read from the address.
const asked = () => new URLSearchParams(location.search);

function put(name, ...values) {
	const changed = asked();
	changed.delete(name);
	for (const one of values) if (one) changed.append(name, one);
	setSearch(changed, { replace: true });
}

const setView = (view) => put("zoom", viewText(view));
const closer = (factor) => setView(zoom(viewFrom(asked().get("zoom")), factor));
// Keys of operations press the buttons that are there for them.
const press = (key) => document.getElementsByName(key)[0]?.click();

function Shown({ id, story, known, stopped, setStopped, search, expanded }) {
	const { row, steps } = story;
	const live = !stopped && !row.completed_at;
	const ticking = useNow(live ? 250 : 5000);
	const now = stopped || Math.max(ticking, serverNow() - 5000);
	const cursor = useRef(-1);
	const [focused, setFocused] = useState({ at: -1 });
	const [value, setValue] = useState(null);
	const folds = search.get("fold") !== "no";
	const raw = search.get("tab") === "json";
	const chosen = search.get("step") ?? "";
	const lines = useMemo(() => linesOf(id, known, expanded), [known, expanded.join()]);
	const axis = useAxis(row, lines, now, folds);
	const view = viewFrom(search.get("zoom"));
	const line = lines.find(({ key }) => key === chosen);
	const current = () => lines[cursor.current];
	const onExpand = (child) => {
		const others = expanded.filter((one) => one !== child);
		put("expand", ...others, others.length < expanded.length ? "" : child);
	};
	const step = (by, fits = (_) => true) => {
		let at = cursor.current + by;
		while (lines[at] && !fits(lines[at].step)) at += by;
		if (lines[at]) setFocused({ at: (cursor.current = at) });
	};
	const wrong = ({ state, tries }) => state === "failed" || tries.length > 0;
	const toggleLive = () => setStopped(stopped ? 0 : serverNow());
	const restart = () => {
		const { step, depth } = current() ?? {};
		go(address(["invocations", id, "restart"], step?.index > 0 && !depth ? { from: `${keptBefore(step)}` } : {}));
	};
	const keys = [
		["j", "next row", () => step(1)],
		["k", "row before", () => step(-1)],
		["Enter", "details of the row", () => put("step", current()?.key)],
		["Escape", "closes the details", () => put("step")],
		["e", "steps of what the row calls, in place", () => onExpand(current()?.step.child)],
		["f", "restart from the row", restart],
		["[", "error before", () => step(-1, wrong)],
		["]", "next error", () => step(1, wrong)],
		["+", "closer", () => closer(0.5)],
		["-", "further", () => closer(2)],
		["0", "all of it", () => setView(ALL)],
		["l", "live on or off", toggleLive],
		...operationKeys(press),
	];
	return html`<${Head} ...${{ story, now }} /><${About} ...${{ story, now }} />
		<div class="bar"><span role="group" aria-label="View" class="bar">
				<button aria-pressed=${!raw} onClick=${() => put("tab")}>Journal</button>
				<button aria-pressed=${raw} onClick=${() => put("tab", "json")}>JSON</button></span>
			<small>${journalSize(story)}</small><i class="grow" />
			<button class="plain" aria-pressed=${!stopped} onClick=${toggleLive}>${stopped ? "○ stopped" : "● live"}</button>
			${!raw && html`<label>
				<input type="checkbox" checked=${folds} onChange=${() => put("fold", folds ? "no" : "")} /> fold gaps</label>`}
			<${Keys} keys=${keys} /></div>
		${raw ? html`<pre tabindex="0" class="value raw">${plain(story)}</pre>` : html`
		<${Minimap} ...${{ steps, axis, view, now }} onView=${setView} />
		<div class=${line ? "split" : ""}>
			<${JournalTable} ...${{ lines, axis, view, chosen, focused, expanded, onExpand, live }}
				now=${Math.min(now, axis.to)} onChoose=${(key) => put("step", key)} onFocus=${(at) => (cursor.current = at)}
				onValue=${setValue} />
			${line && html`<${StepDetails} key=${chosen} ...${{ line, now }} onClose=${() => put("step")} />`}
		</div>`}
		${value && html`<${ValuePopover} key=${value.line.key} ...${value} onClose=${() => setValue(null)} />`}`;
}

/** Steps, and those of what is expanded below the ones that called it. @returns {Line[]} */
function linesOf(id, known, expanded, depth = 0) {
	const story = known.get(id) ?? NO_STORY;
	return story.steps.flatMap((step) => {
		const line = { key: depth ? `${id}:${step.key}` : step.key, id, story, step, depth };
		const open = step.kind !== "operation" && expanded.includes(step.child) && depth < LIVES_MAX;
		return open ? [line, ...linesOf(step.child, known, expanded, depth + 1)] : line;
	});
}

function useAxis(row, lines, now, folds) {
	const from = Date.parse(row.created_at);
	const to = millis(row.completed_at) ?? now;
	return useMemo(() => {
		// What was done after the end has its place at the edge.
		const steps = lines.map(({ step }) => step);
		const last = steps.reduce((most, { kind, end }) => (kind === "operation" ? most : Math.max(most, end)), to);
		return makeAxis(from, last, folds ? gapsOf(steps, from, last, !/running|ready/.test(row.status)) : []);
	}, [from, to, lines, folds]);
}

function journalSize({ journal, missing, failure }) {
	if (failure) return `The older entries could not be read: ${failure}`;
	if (missing) return `reading ${missing} older entries…`;
	return journal.length ? `${journal.length} entries` : "no journal: it did not begin, or was purged";
}

function plain({ row: invocation, journal, happenings: journal_events }) {
	const entries = journal.map(({ entry_lite_json: lite, entry_json = lite, ...rest }) => ({ ...rest, entry_json }));
	return JSON.stringify({ invocation, journal: entries, journal_events }, (name, value) =>
		(name.endsWith("_json") ? JSON.parse(value) : value), 2);
}

function StepDetails({ line: { id, step, story }, now, onClose }) {
	const { zone } = useSettings();
	const { tone, word } = lookOf(step);
	const { index, answer, until, child, awakeable, kind, text, tries, headers } = step;
	const waits = step.state === "waiting";
	const time = (at) => clockTime(at, zone, now);
	return html`<aside class="card details" aria-label="Step">
		<div class="head"><h2 class=${`tone-${tone}`}><${StepName} step=${step} /></h2><i class="grow" />
			<button class="plain" onClick=${onClose}>Close</button></div>
		${facts({
			State: word,
			Index: index >= 0 && `${index}${answer && answer !== index ? `, outcome at ${answer}` : ""}`,
			Began: time(step.begin),
			Took: took(step, now) + (step.end === null ? " so far" : ""),
			"Wakes up": until && waits && `${time(until)}, in ${duration(until - now)}`,
			Invocation: child && idLink(child),
			Awakeable: awakeable
				&& html`<${Copied} text=${awakeable} /> ${waits && link(["waits"], "answer", { id: awakeable })}`,
			By: step.who,
			Reason: step.reason,
			[kind === "send" ? "Idempotency key" : "Note"]: text,
		})}
		${choices([step]).length > 0 && html`<p>${link(["invocations", id, "restart"],
			story.row.completed_at ? "Restart from here" : "Interrupt and restart from here…",
			{ from: `${keptBefore(step)}` }, { class: "button" })}</p>`}
		${tries.map(({ at, code, message, trace }, nth) => html`<details key=${nth} open=${nth === tries.length - 1}>
			<summary class="failure">Failed try at ${time(at)}${code && ` · ${code}`}: <bdi>${message}</bdi></summary>
			<pre tabindex="0" class="value">${trace || message}</pre></details>`)}
		${Object.entries({ Input: step.input, Result: step.outcome }).map(([name, outcome]) =>
			outcome && html`<h3>${name}</h3><${ValueView} id=${id} outcome=${outcome} />`)}
		${headers.length > 0 && html`<h3>Headers</h3>
			${facts(Object.fromEntries(headers.map(({ name, value }) => [name, value])))}`}
	</aside>`;
}
