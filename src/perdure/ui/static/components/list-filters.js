// @ts-check
import {
	FIELDS, LOOKS, OPEN, ORDER, StatusBadge, change, html, link, parts, submitting, useLayoutEffect, useRef, useSettings,
	useState, withTyped, withValue, withValues, words,
} from "./kit.js";

const VIEWS_MAX = 30;
const PRESETS = {
	All: "", Open: `status=${OPEN.join("&status=")}`, "Needs you": "status=paused&status=backing-off",
	"Waits for an answer": "waits=outside", Failed: "status=failed",
};

export function Views({ search }) {
	const { views } = useSettings();
	const to = (name, wanted, look) =>
		link(["invocations"], name, new URLSearchParams(wanted), { class: look, "aria-current": wanted === search });
	const forget = (name) => views.filter((one) => one.name !== name);
	const keep = submitting((form) => {
		const name = form.view.value.trim();
		if (name) change({ views: [...forget(name), { name, search }].slice(-VIEWS_MAX) });
		form.hidePopover();
	});
	return html`<nav class="bar" aria-label="Views">
		${Object.entries(PRESETS).map(([name, wanted]) => to(name, wanted, "button"))}
		${views.map(({ name, search: kept }) => html`<span class="chip" key=${name}>${to(name, kept)}
			<button onClick=${() => change({ views: forget(name) })} aria-label="Forget the view ${name}">×</button></span>`)}
		${search && html`<button class="plain" popovertarget="keep">Keep this view…</button>`}
		<form id="keep" popover="auto" onSubmit=${keep}>
			<label>Name of the view <input name="view" maxlength="60" autofocus /></label> <button>Keep</button></form>
	</nav>`;
}

export function StatusBar({ counts, chosen, onToggle }) {
	const all = ORDER.map((look) => ({ look, n: counts?.[look] ?? 0, on: chosen.includes(look), ...LOOKS[look] }));
	const shown = all.filter(({ n, on }) => n || on);
	return html`<div class="stack" aria-hidden>
			${shown.map(({ look, word, tone, n, on }) => html`<button key=${look} tabindex="-1" title="${word} ${n}"
				class="tone-${tone} ${chosen[0] && !on ? "faint" : ""}" style=${{ flexGrow: Math.sqrt(n) }}
				onClick=${() => onToggle(look)} />`)}</div>
		<div class="legend" role="group" aria-label="Filter by status">
			${shown.map(({ look, n, on }) => html`<button key=${look} class="plain" data-status=${look}
				aria-pressed=${on} onClick=${() => onToggle(look)}><${StatusBadge} name=${look} count=${n} /></button>`)}
		</div>`;
}

const options = (named) => Object.entries(named).map(([value, word]) => html`<option value=${value}>${word}</option>`);

export function FilterLine({ filters, onChange }) {
	const [adding, add] = useState("");
	const search = submitting((form) => {
		onChange(withTyped(form.search.value, filters));
		form.reset();
	});
	const added = (value) => {
		add("");
		if (value) onChange(withValue(filters, adding, value));
	};
	return html`<div class="bar">
		<form role="search" onSubmit=${search}><input id="search" type="search" size="28" dir="auto"
			placeholder="/ search id, key, error…" aria-label="Search id, key, error; or a field, as service:Agent" /></form>
		${parts(filters).map(({ field, words }) => html`<span key=${field} class="chip" dir="auto">
			<button class="words" aria-label="Change: ${words}" onClick=${() => add(field)}>
				<bdi class="cut">${words}</bdi></button>
			<button aria-label="Remove: ${words}" title=${words}
				onClick=${() => onChange(withValues(filters, field, []))}>×</button></span>`)}
		<select aria-label="Add a filter" value=${adding} onChange=${(event) => add(event.target.value)}>
			<option value="">+ filter</option>${options(words(FIELDS))}</select>
		${filters.size > 0 && html`<button class="plain" onClick=${() => onChange(new URLSearchParams())}>Clear</button>`}
		${adding && html`<${Add} key=${adding} field=${adding} old=${filters.get(adding)} onAdd=${added} />`}</div>`;
}

function Add({ field, old, onAdd }) {
	const { word, many, moment, choices } = FIELDS[field];
	const input = useRef(null);
	useLayoutEffect(() => input.current.focus(), []);
	const onKeyDown = ({ key }) => key === "Escape" && onAdd();
	const add = submitting(() => onAdd(input.current.value));
	if (choices) return html`<select ref=${input} aria-label=${word} onKeyDown=${onKeyDown} onChange=${add}>
		<option value="">${word}…</option>${options(choices)}</select>`;
	// The field of a moment wants it as a clock shows it here.
	const shift = new Date(old ?? 0).getTimezoneOffset() * 60000;
	const shown = moment && old ? new Date(Date.parse(old) - shift).toISOString().slice(0, 19) : old;
	const type = moment ? "datetime-local" : "text";
	return html`<form onSubmit=${add}><label>${word} <input ref=${input} type=${type} step="1" dir="auto"
		defaultValue=${many ? "" : shown} onKeyDown=${onKeyDown} /></label> <button>Add</button></form>`;
}
