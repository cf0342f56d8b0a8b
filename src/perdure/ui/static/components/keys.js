// @ts-check
import { Dialog, html, useLayoutEffect, useState } from "./kit.js";

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
