// @ts-check
import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

export function Dialog({ title, onClose, onSubmit, children, buttons }) {
	const dialog = useRef(null);
	// At once: the next key already belongs to the dialog.
	useLayoutEffect(() => dialog.current.showModal(), []);
	return html`<dialog ref=${dialog} aria-labelledby="dialog-title" onClose=${onClose}>
		<form onSubmit=${(event) => (event.preventDefault(), onSubmit?.())}>
			<h2 id="dialog-title">${title}</h2>${children}
			<div class="buttons"><button type="button" onClick=${() => dialog.current.close()}>Close</button>${buttons}</div>
		</form></dialog>`;
}
