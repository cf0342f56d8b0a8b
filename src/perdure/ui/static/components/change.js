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
	return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
		<form onSubmit=${submitting(onSubmit)}>
			<h2 id="dialog-title">${title}</h2>${children}
			<div class="buttons"><button type="button" onClick=${() => dialog.current.close()}>Close</button>${buttons}</div>
		</form></dialog>`;
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
		<thead><tr>${head.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
		<tbody>${children}</tbody></table></div>`;
