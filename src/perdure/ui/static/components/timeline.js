// @ts-check
import { ALL, bar, moved, phases, place, ticks, zoom } from "../logic/timeline.js";
import {
	duration, failedTries, html, lookOf, shortLink, took, useEffect, useLayoutEffect, useMemo, useRef, useState,
} from "./kit.js";
import { valueLine } from "./value.js";

/** @param {Props} props */
export function JournalTable(props) {
	const { lines, axis, view, now, chosen, focused, live } = props;
	const seen = useWindow(lines.length);
	// The focus that follows a key tells nothing new: the next key may have been heard already.
	const following = useRef(false);
	const onFocus = (at) => following.current || props.onFocus(at);
	const found = lines.findIndex(({ key }) => key === chosen);
	useEffect(() => void (found >= 0 && seen.show(found)), [chosen, found >= 0, lines[0].story.missing]);
	useEffect(() => {
		if (focused.at < 0) return undefined;
		seen.show(focused.at);
		const frame = requestAnimationFrame(() => {
			following.current = true;
			seen.box.current?.querySelector(`[data-line="${focused.at}"]`)?.focus({ preventScroll: true });
			following.current = false;
		});
		return () => cancelAnimationFrame(frame);
	}, [focused]);
	const marks = ticks(axis, view, innerWidth < 760 ? 2 : found < 0 ? 6 : 3);
	const head = html`<div class="grid" aria-hidden>${marks.map(({ text, folded, left }) => html`<i key=${text}
		class=${folded && (left > 90 ? "fold edge" : "fold")} style=${{ left: `${left}%` }}><b>${text}</b></i>`)}
		${live && html`<${Bar} axis=${axis} view=${view} kind="now" from=${now} />`}</div>`;
	const draw = (line, index) => html`<${Row} key=${line.key} ...${{ ...props, onFocus, line, index }} />`;
	return html`<${LongTable} ...${{ seen, draw, head }} rows=${lines}
		columns=${{ "#": "num", Step: "", Result: "res", Took: "took right", Timeline: "time" }} />`;
}

function Row({ line, index, axis, view, now, chosen, focused, expanded, onChoose, onFocus, onExpand, onValue }) {
	const { key, step, depth, story } = line;
	const { child, who, reason, code, state } = step;
	const expands = child && /call|send|attach/.test(step.kind);
	const open = expanded.includes(child);
	const outcome = step.outcome ?? step.input;
	const text = outcome ? valueLine(outcome) : step.text;
	const recorded = step.index >= 0;
	const known = recorded ? step.tries.length : 0;
	const tries = known && step.end === null ? Math.max(known, failedTries(story.row)) : known;
	const current = chosen === key && "true";
	const kind = current ? "chosen" : recorded || step.awakeable ? "" : "outside";
	return html`<tr class="tone-${lookOf(step).tone} ${kind}" aria-current=${current} data-line=${index}
			data-step=${key} data-state=${state} tabindex=${index === Math.max(focused.at, 0) ? 0 : -1}
			onFocus=${() => onFocus(index)} onClick=${(event) => event.target.closest("a, button") || onChoose(key)}>
		<td class="num soft">${recorded && step.index}</td>
		<td class="cut" style=${{ paddingLeft: `${8 + depth * 18}px` }}>
			<${StepName} step=${step}>${expands && html`<button class="plain" aria-expanded=${open}
				aria-label="Steps of ${code}" onClick=${() => onExpand(child)}>${open ? "▾" : "▸"}</button>`}<//>
			${tries > 0 && html` <span class="badge tone-retry">${tries} failed ${tries === 1 ? "try" : "tries"}</span>`}
			<small>${who && html` by <bdi>${who}</bdi>`}${reason && html`: <bdi>${reason}</bdi>`} </small>
			${child && !expands && shortLink(child)}</td>
		<td class="res cut">${text && (outcome && outcome.kind !== "Failure"
			? html`<button class="link mono cut" dir="auto" onClick=${() => onValue({ line, outcome })}>${text}</button>`
			: html`<span dir="auto" class=${outcome || state === "failed" ? "failure" : "soft"}>${text}</span>`)}</td>
		<td class="took right soft">${took(step, now)}</td>
		<td class="time"><div class="bars" aria-hidden>
			${barsOf(step, story, now).map((one) => html`<${Bar} ...${one} axis=${axis} view=${view} />`)}</div></td></tr>`;
}

function barsOf({ key, begin, end, state, tries }, story, now) {
	// What became of the whole is drawn where it begins.
	if (key === "created") {
		return phases(story, now).map(({ kind, from, to }) =>
			({ kind: `phase ${kind}`, from, to, title: `${kind} ${duration(to - from)}` }));
	}
	return [
		end !== begin && { kind: `span ${state}`, from: begin, to: end ?? now },
		...tries.map(({ at, message }) => ({ kind: "dot error", from: at, title: message })),
		end !== null && { kind: "dot", from: end },
	].filter(Boolean);
}

const WIDTH = 1000;
const HEIGHT = 26;

/** Dragging chooses what the timeline shows. @param {Props} props */
export function Minimap({ steps, axis, view, now, onView }) {
	const strip = useRef(null);
	const drag = useRef(null);
	const paths = useMemo(() => drawn(steps, axis, now), [steps, axis]);
	const { left, right } = view;
	const all = right - left === 1;
	const where = ({ clientX }) => {
		const box = strip.current.getBoundingClientRect();
		return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
	};
	const down = (event) => {
		const from = where(event);
		const moves = !all && from > left && from < right;
		strip.current.setPointerCapture(event.pointerId);
		drag.current = (to) => {
			if (moves) onView(moved(left + to - from, right - left));
			else if (Math.abs(to - from) > 0.005) onView({ left: Math.min(from, to), right: Math.max(from, to) });
		};
	};
	const shade = (kind, from, to) =>
		html`<rect class=${kind} x=${from * WIDTH} width=${(to - from) * WIDTH} height=${HEIGHT} />`;
	const buttons = Object.entries({ Closer: ["+", zoom(view, 0.5)], Further: ["−", zoom(view, 2)], All: ["All", ALL] });
	return html`<div class="minimap">
		<svg ref=${strip} viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden
			onPointerDown=${down} onPointerMove=${(event) => drag.current?.(where(event))}
			onPointerUp=${() => (drag.current = null)} onDblClick=${() => onView(ALL)}>
			${paths}${axis.stretches.map((one) => one.folded && shade("fold", one.left, one.right))}
			${shade("away", 0, left)}${shade("away", right, 1)}
		</svg><span role="group" aria-label="Zoom">${buttons.map(([name, [sign, next]]) => html`
			<button aria-label=${name} disabled=${all && next === ALL} onClick=${() => onView(next)}>${sign}</button> `)}
		</span></div>`;
}

// One path for each tone; what would be drawn at the same place is drawn once.
function drawn(steps, axis, now) {
	const paths = {};
	steps.forEach((step, at) => {
		const [x, to] = [step.begin, step.end ?? now].map((time) => Math.round(place(axis, time) * WIDTH));
		const y = Math.round((at / steps.length) * (HEIGHT - 3));
		const width = Math.max(to - x, 3);
		(paths[lookOf(step).tone] ??= new Set()).add(`M${Math.min(x, WIDTH - 3)} ${y}h${width}v2h-${width}z`);
	});
	return Object.entries(paths).map(([tone, path]) =>
		html`<path key=${tone} class="tone-${tone}" d=${[...path].join("")} />`);
}

const ROW = 30;
const SPARE = 8;

/** Which of many rows are seen. @returns {Seen} */
export function useWindow(count) {
	const box = useRef(null);
	const [first, setFirst] = useState(0);
	const [room, setRoom] = useState(60);
	const look = () => {
		const { scrollTop, clientHeight } = box.current;
		setFirst(Math.max(0, Math.floor(scrollTop / ROW) - SPARE));
		setRoom(Math.ceil(clientHeight / ROW) + 2 * SPARE);
	};
	useLayoutEffect(look, [count]);
	useEffect(() => {
		addEventListener("resize", look);
		return () => removeEventListener("resize", look);
	}, []);
	const show = (index) => {
		const { scrollTop, clientHeight } = box.current;
		const [top, room] = [index * ROW, clientHeight - 2 * ROW];
		if (top < scrollTop) box.current.scrollTop = top;
		else if (top > scrollTop + room) box.current.scrollTop = top - room / 2;
		look();
	};
	return { box, look, show, first, last: Math.min(first + room, count) };
}

export function LongTable({ seen: { box, look, first, last }, kind = "", columns, rows, draw, head }) {
	const names = Object.entries(columns);
	const space = (count) => count > 0
		&& html`<tr aria-hidden><td colspan=${names.length} style=${{ height: `${count * ROW}px` }}></td></tr>`;
	return html`<div class="tl ${kind}" ref=${box} onScroll=${look} tabindex="0" role="region" aria-label="Steps">
		<table><thead><tr>${names.map(([name, kind]) =>
			html`<th class=${kind}><span>${name}</span>${kind === "time" && head}</th>`)}</tr></thead>
		<tbody>${space(first)}${rows.slice(first, last).map((one, at) => draw(one, first + at))}
			${space(rows.length - last)}</tbody></table></div>`;
}

export function StepName({ step, children }) {
	const { sign, word } = lookOf(step);
	return html`<span class="sign" role="img" aria-label=${word}>${sign}</span>${children}
		<code dir="auto">${step.code}</code> ${step.name && html`<bdi class="soft">${step.name}</bdi>`}`;
}

export function Bar({ axis, view, kind, from, to = from, title }) {
	const seen = bar(axis, view, from, to);
	return seen && html`<i class=${kind} title=${title} style=${{ left: `${seen.left}%`, width: `${seen.width}%` }}></i>`;
}
