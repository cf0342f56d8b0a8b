// @ts-check
/** Short messages about what became of an operation, read out by screen readers. */
import { html } from "../vendor/preact-htm.js";
import { store } from "../api/store.js";

const SHOWN_MS = 6000;
const toasts = store(/** @type {Toast[]} */ ([]));
let counter = 0;

/** @param {any} text */
export function toast(text, tone = "ok") {
  const id = ++counter;
  toasts.set([...toasts.get().slice(-4), { id, tone, text }]);
  setTimeout(() => toasts.set(toasts.get().filter((one) => one.id !== id)), SHOWN_MS);
}

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.use().map(({ id, tone, text }) => html`<div key=${id} class="toast tone-${tone}">${text}</div>`)}</div>`;
}
