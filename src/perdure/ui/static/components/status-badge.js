// @ts-check
import { html } from "../vendor/preact-htm.js";
import { LOOKS, look } from "../logic/status.js";

/** @param {{row: import("../logic/status.js").Row}} props */
export function StatusBadge({ row }) {
  return html`<${Badge} name=${look(row).name} />`;
}

/** @param {{name: string, count?: number}} props */
export function Badge({ name, count }) {
  const { sign, word, tone, dashed } = LOOKS[name];
  return html`<span class=${`badge tone-${tone}${dashed ? " dashed" : ""}`}>
    <span class="sign" aria-hidden="true">${sign}</span>${word}${count === undefined ? "" : ` ${count}`}
  </span>`;
}
