// @ts-check
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { store } from "../api/store.js";
import { faultOf } from "../logic/json.js";

const SHOWN_MS = 6000;
const toasts = store([]);

export function toast(text, tone = "ok") {
	const one = { text, tone };
	toasts.set([...toasts.get().slice(-4), one]);
	setTimeout(() => toasts.set(toasts.get().filter((other) => other !== one)), SHOWN_MS);
}

export const Toasts = () => html`<div class="toasts" role="status">
	${toasts.use().map(({ text, tone }) => html`<div class="toast tone-${tone}">${text}</div>`)}</div>`;

export function Dialog({ title, onClose, onSubmit, children, buttons }) {
	const dialog = useRef(null);
	// At once: the next key already belongs to the dialog.
	useLayoutEffect(() => dialog.current.showModal(), []);
	const close = () => dialog.current.close();
	return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
		<form onSubmit=${submitting(onSubmit)}>
			<h2 id="dialog-title">${title}</h2>${children}
			<div class="buttons">
				<button type="button" onClick=${close}>${buttons ? "Leave it" : "Close"}</button>${buttons}</div>
		</form></dialog>`;
}

/** Keys that mean the same wherever they are heard. */
export const operationKeys = (operate) => Object.entries({ c: "cancel", p: "pause", r: "resume, retry now" })
	.map(([key, word]) => [key, word, () => operate(key)]);

export function Keys({ keys }) {
	const [help, setHelp] = useState(false);
	const all = [...keys, ["?", "shows this", () => setHelp(true)]];
	// Before anything is seen: who sees a page can use its keys.
	useLayoutEffect(() => {
		const pressed = (event) => {
			const { key, target } = event;
			if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
			const isField = target.closest("input:not([type=checkbox]), textarea, select, [popover]");
			if (isField && key === "Escape") target.blur();
			if (isField || (key === "Enter" && target.closest("a, button, summary"))) return;
			const run = all.find(([name]) => name === key)?.[2];
			if (run) event.preventDefault();
			run?.();
		};
		addEventListener("keydown", pressed);
		return () => removeEventListener("keydown", pressed);
	});
	return html`<button class="plain" onClick=${() => setHelp(true)} aria-label="Keys"><kbd>?</kbd></button>
		${help && html`<${Dialog} title="Keys" onClose=${() => setHelp(false)}><dl class="facts">
			${all.map(([key, word]) => html`<dt><kbd>${key}</kbd></dt><dd>${word}</dd>`)}</dl><//>`}`;
}

/** What went wrong, when something did. */
export const fault = (text) => text && html`<p class="invalid" role="alert">${text}</p>`;

/** Of a form: it does what `act` does and stays. */
export const submitting = (act) => (event) => (event.preventDefault(), act?.(event.target));

export function useAct(act) {
	const [state, set] = useState({ busy: false, failure: "" });
	const run = async (given) => {
		set({ busy: true, failure: "" });
		set({ busy: false, failure: await act(given).then(() => "", ({ message }) => message) });
	};
	return { ...state, run };
}

/** States an effect and carries it out; a refusal stays where it can be read. @param {ChangeProps} props */
export function Change({ title, word, effect, danger, disabled, act, onClose, children }) {
	const { busy, failure, run } = useAct(async () => {
		const told = await act();
		if (told === null) return;
		toast(told);
		onClose();
	});
	return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${run}
		buttons=${html`<button class=${danger ? "danger" : "primary"} disabled=${busy || disabled}>${word}</button>`}>
		<p class=${`effect tone-${danger ? "fail" : "run"}`}>${effect}</p>${children}
		${fault(failure)}<//>`;
}

const labelled = (label, control) => html`<label class="field"><span>${label}</span>${control}</label>`;
const telling = (onValue) => ({ target }) => onValue?.(target.value);

export const Text = ({ label, onValue, ...rest }) =>
	labelled(label, html`<input autocomplete="off" ...${rest} onInput=${telling(onValue)} />`);

/** of: values and what they are called. */
export const Choice = ({ label, of, onValue, ...rest }) => labelled(label, html`
	<select ...${rest} onChange=${telling(onValue)}>${Object.entries(of).map(([name, word]) =>
		html`<option key=${name} value=${name}>${word}</option>`)}</select>`);

export const Tick = ({ label, checked, onValue }) => html`<p><label><input type="checkbox" checked=${checked}
	onChange=${({ target }) => onValue(target.checked)} /> ${label}</label></p>`;

export function Code({ label, value, json, onValue }) {
	const fault = json && value && faultOf(value);
	return html`${labelled(label, html`<textarea class="code" rows="5" spellcheck="false" dir="auto" value=${value}
			onInput=${telling(onValue)}></textarea>`)}
		${fault && html`<p class="invalid" role="status">Not JSON: ${fault}.</p>`}`;
}

export const Table = ({ label, head, children }) =>
	html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
		<thead><tr>${head.map((name) => html`<th key=${name}>${name}</th>`)}</tr></thead>
		<tbody>${children}</tbody></table></div>`;
