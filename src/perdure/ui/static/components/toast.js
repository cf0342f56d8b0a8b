// @ts-check
import { html } from "../vendor/preact-htm.js";
import { store } from "../api/store.js";

const SHOWN_MS = 6000;
const toasts = store([]);

export function toast(text, tone = "ok") {
	const one = { text, tone };
	toasts.set([...toasts.get().slice(-4), one]);
	setTimeout(() => toasts.set(toasts.get().filter((other) => other !== one)), SHOWN_MS);
}

export const Toasts = () => html`<div class="toasts" role="status">
	${toasts.use().map(({ text, tone }) => html`<div class="toast tone-${tone}">${text}</div>`)}</div>`;
