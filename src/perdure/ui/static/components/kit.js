// @ts-check
import { html, useState } from "../vendor/preact-htm.js";
import { request, useAnswer } from "../api/http.js";
import { LOOKS, lookName } from "../logic/status.js";
import { Table, Text, Tick } from "./change.js";
import { link } from "./router.js";

export * from "../api/events.js";
export * from "../api/http.js";
export * from "../api/store.js";
export * from "../logic/actions.js";
export * from "../logic/filters.js";
export * from "../logic/journal.js";
export * from "../logic/json.js";
export * from "../logic/payload.js";
export * from "../logic/time.js";
export * from "../vendor/preact-htm.js";
export * from "./change.js";
export * from "./router.js";

/** @type {UseGet} */
export const useGet = (path) => useAnswer((signal) => request("GET", path, { signal }), [path]);

export const button = (path, text, search) => link(path, text, search, { class: "button" });
export const toInvocations = (filters) => button(["invocations"], "Invocations", filters);

export function save(content, download) {
	const href = URL.createObjectURL(new Blob([content]));
	Object.assign(document.createElement("a"), { href, download }).click();
	setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Of a page, with what stands beside it. */
export const heading = (title, beside) =>
	html`<div class="head"><h1 class="grow"><bdi>${title}</bdi></h1>${beside}</div>`;

/** @type {MakePage} */
export function page(title, { data, failure }, body, beside) {
	// The line is always there: what is below it keeps its place, and what was typed.
	return html`${heading(title, beside)}
		<p class=${failure ? "invalid" : "soft"} role=${failure ? "alert" : null} hidden=${data && !failure}>
			${failure || "Loading…"}</p>${data && body(data)}`;
}

/** @type {MakeTable} */
export function table(label, rows, key, columns, empty, chosen) {
	if (!rows.length) return empty && html`<p class="empty">${empty}</p>`;
	const cells = (row) => Object.values(columns).map((cell) =>
		html`<td dir="auto">${typeof cell === "function" ? cell(row) : row[cell]}</td>`);
	return html`<${Table} label=${label} head=${Object.keys(columns)}>${rows.map((row) => html`
		<tr key=${row[key]} class=${chosen && row[key] === chosen && "chosen"}>${cells(row)}</tr>`)}<//>`;
}

/** What is empty is left out. */
export function facts(known, kind = "") {
	const told = Object.entries(known).filter(([, value]) => value);
	return html`<dl class="facts ${kind}">${told.map(([name, value]) =>
		html`<div key=${name}><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}

/** @type {UseDialog} */
export function useDialog(dialog, again) {
	const [props, open] = useState(null);
	return [open, props && html`<${dialog} ...${props} onClose=${() => (open(null), again())} />`];
}

export const warnings = (told) =>
	told?.map(({ code, message }) => html`<p class="effect tone-retry">${code} ${message}</p>`);

/** @type {UseForm} */
export function useForm(initial) {
	const [values, set] = useState(initial);
	const field = (name, label, { as = Text, ...more } = {}) => {
		const value = values[name];
		const onValue = (now) => set((old) => ({ ...old, [name]: now }));
		if (typeof value === "boolean") return html`<${Tick} ...${{ label, onValue }} checked=${value} />`;
		return html`<${as} ...${{ name, label, value, onValue, ...more }} />`;
	};
	return { values, set, field };
}

export function StatusBadge({ row, name = lookName(row), count }) {
	const { sign, word, tone } = LOOKS[name];
	return html`<span class="badge tone-${tone}">
		<span class="sign" aria-hidden>${sign}</span>${word} ${count}</span>`;
}
