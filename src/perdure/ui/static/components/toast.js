// @ts-check
/** Short messages about what became of an operation, read out by screen readers. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";

/** @typedef {{id: number, tone: string, text: any}} Toast */
/** @type {Toast[]} */
let toasts = [];
let counter = 0;
/** @type {((toasts: Toast[]) => void) | null} */
let shown = null;

/** @param {any} text @param {"ok" | "fail" | "wait"} [tone] */
export function toast(text, tone = "ok") {
  const id = ++counter;
  toasts = [...toasts.slice(-4), { id, tone, text }];
  shown?.(toasts);
  setTimeout(() => {
    toasts = toasts.filter((one) => one.id !== id);
    shown?.(toasts);
  }, tone === "fail" ? 12000 : 6000);
}

export function Toasts() {
  const [list, set] = useState(toasts);
  useEffect(() => {
    shown = set;
    return () => void (shown = null);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${list.map((one) => html`<div key=${one.id} class=${`toast tone-${one.tone}`}>${one.text}</div>`)}
  </div>`;
}
