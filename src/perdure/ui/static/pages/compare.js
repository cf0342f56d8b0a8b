// @ts-check
import {
	StatusBadge, address, duration, firstLine, go, heading, html, lookOf, millis, shortLink, shown, took, useMemo, useNow,
	usePlace, useState,
} from "../components/kit.js";
import { Absent, NO_STORY, useStories } from "../components/lives.js";
import { Bar, LongTable, StepName, useWindow } from "../components/timeline.js";
import { useOutcome, valueLine } from "../components/value.js";
import { align, diffLines, shorten } from "../logic/align.js";
import { ALL, makeAxis } from "../logic/timeline.js";

const WORDS = { "=": "same", "~": "differs", "-": "only left", "+": "only right" };
const SIDES = ["Left", "Right"];

export function Compare() {
	const { search } = usePlace();
	const ids = ["a", "b"].map((name) => search.get(name)?.trim() ?? "");
	const [b, a] = ids;
	const valid = ids.every((id) => /^inv_1\w{33}$/.test(id));
	const known = useStories([...new Set(ids)], valid);
	const stories = ids.map((id) => known.get(id) ?? NO_STORY);
	const absent = stories.findIndex(({ row }) => !row);
	return html`${heading("Compare")}
		<form class="bar" action=${address(["compare"])}>
			${ids.map((value, side) => html`<label class="field"><span>${SIDES[side]}</span>
				<input class="mono" size="40" name=${"ab"[side]} value=${value} /></label>`)}
			<button class="primary">Compare</button>
			<button type="button" onClick=${() => go(address(["compare"], { a, b }))}>Swap</button></form>
		${!valid ? html`<p class="empty">Give the ids of two invocations.</p>`
			: absent < 0 ? html`<${Shown} key=${a + b} ids=${ids} stories=${stories} />`
				: html`<${Absent} id=${ids[absent]} story=${stories[absent]} />`}`;
}

function Shown({ ids, stories }) {
	const now = useNow();
	const [opened, setOpened] = useState("");
	const pairs = useMemo(() => pairsOf(stories), stories);
	const seen = useWindow(pairs.length);
	const begins = stories.map(({ row }) => millis(row.created_at));
	const lengths = stories.map(({ row }, side) => (millis(row.completed_at) ?? now) - begins[side]);
	const more = lengths[1] - lengths[0];
	const axis = makeAxis(0, Math.max(...lengths));
	const count = (wanted) => pairs.filter(({ sign }) => sign === wanted).length;
	const pair = pairs.find(({ key }) => key === opened);
	const draw = ({ key, sign, a, b }) => {
		const open = key === opened;
		const bars = [a, b].map((step, side) => step && html`<${Bar} axis=${axis} view=${ALL} kind=${"ab"[side]}
			from=${step.begin - begins[side]} to=${(step.end ?? now) - begins[side]} />`);
		return html`<tr key=${key} data-sign=${sign} class=${open && "chosen"}>
			<td><button class="plain" aria-expanded=${open} onClick=${() => setOpened(open ? "" : key)}>
				${sign} ${WORDS[sign]}</button></td>${cells(a)}${cells(b)}
			<td class="time"><div class="bars" aria-hidden>${bars}</div></td></tr>`;
	};
	return html`<div class="cards">${stories.map(({ row }, side) => html`<section class="card" aria-label=${SIDES[side]}>
			<h2><bdi>${row.target}</bdi> <${StatusBadge} row=${row} /></h2>
			<p>${shortLink(row.id)} · ${duration(lengths[side])} · ${pairs.length - count("+-"[side])} steps</p>
			${row.completion_failure && html`<p class="failure" dir="auto">${firstLine(row.completion_failure)}</p>`}
			${row.restarted_from === ids[1 - side] && html`<p class="soft">restarted from the other</p>`}</section>`)}</div>
		<p>${Object.entries(WORDS).map(([sign, word]) =>
			html`<span class="chip" data-sign=${sign}>${sign} ${count(sign)} ${word}</span> `)}
			<small>the right one took ${duration(Math.abs(more))} ${more < 0 ? "less" : "more"}</small></p>
		<${LongTable} seen=${seen} kind="compare" rows=${pairs} draw=${draw} columns=${{ Both: "mark", Left: "half",
			"Result ": "", Right: "half", Result: "", Time: "time" }} />
		${pair && html`<${ValueDiff} key=${opened} ids=${ids} pair=${pair} />`}`;
}

/** @returns {Pair[]} */
function pairsOf(stories) {
	const [left, right] = stories.map(({ steps }) => steps.filter(({ index }) => index >= 0));
	// What is written into the code of a step may differ from run to run: times and ids are not its name.
	const nameOf = ({ kind, code, name }) => `${["sleep", "resolve", "output"].includes(kind) ? kind : code} ${name}`;
	const signOf = (a, b) => {
		if (!a || !b) return a ? "-" : "+";
		return a.state === b.state && same(a.input, b.input) && same(a.outcome, b.outcome) ? "=" : "~";
	};
	return align(left, right, nameOf).map(([a, b]) => ({ key: `${a?.key}|${b?.key}`, a, b, sign: signOf(a, b) }));
}

function same(one, other) {
	// What was not sent is known by its length alone.
	if (one?.kind === "Success" && other && !(one.value && other.value)) return one.size === other.size;
	return one?.kind === other?.kind && JSON.stringify(one?.value) === JSON.stringify(other?.value);
}

function cells(step) {
	if (!step) return html`<td class="soft">–</td><td></td>`;
	const value = step.outcome ?? step.input;
	return html`<td class=${`cut tone-${lookOf(step).tone}`}>
			<${StepName} step=${step}><small>${step.index} </small><//>
			<small> ${took(step)}</small></td>
		<td class=${`cut ${value?.kind === "Failure" ? "failure" : ""}`} dir="auto">${value && valueLine(value)}</td>`;
}

function ValueDiff({ ids, pair: { a, b } }) {
	const texts = [useText(ids[0], a), useText(ids[1], b)];
	const [one, other] = texts;
	const lines = useMemo(() => !texts.includes(null) && shorten(diffLines(one, other)), texts);
	const draw = (line) => {
		if (!line) return "⋯\n";
		const { sign, text } = line;
		return sign === " " ? `  ${text}\n` : html`<${sign === "+" ? "ins" : "del"}>${sign} ${text}<//>`;
	};
	return html`<section class="card" aria-label="Difference">
		<h2>Difference of <code dir="auto">${(a ?? b).code}</code></h2><pre class="value" dir="auto" tabindex="0">
			${!lines ? "Loading…" : lines.some(Boolean) ? lines.map(draw) : "The values are the same."}</pre></section>`;
}

// Input and outcome of a step, null while they are being read.
function useText(id, step) {
	const parts = [step?.input, step?.outcome].map((wanted) => ({ wanted, ...useOutcome(id, wanted) }));
	if (parts.some(({ wanted, data, failure }) => wanted && !data && !failure)) return null;
	return parts.map(({ data, failure }) => failure
		|| (data?.kind === "Success" ? shown(data.value).text : data && valueLine(data))).filter(Boolean).join("\n");
}
