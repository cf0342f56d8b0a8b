// @ts-check
import { lookOf } from "../logic/journal.js";
import { bar } from "../logic/timeline.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./kit.js";

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
