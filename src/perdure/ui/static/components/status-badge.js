// @ts-check
import { html } from "../vendor/preact-htm.js";
import { LOOKS, lookName } from "../logic/status.js";

export function StatusBadge({ row, name = lookName(row), count }) {
	const { sign, word, tone } = LOOKS[name];
	return html`<span class="badge tone-${tone}">
		<span class="sign" aria-hidden="true">${sign}</span>${word} ${count}</span>`;
}
