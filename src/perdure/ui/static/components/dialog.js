// @ts-check
import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

/** A modal dialog round a form. onClose: also called for Escape. @param {DialogProps} props */
export function Dialog({ title, onClose, onSubmit, children, buttons }) {
  const element = useRef(/** @type {HTMLDialogElement?} */ (null));
  // At once: the next key already belongs to the dialog.
  useLayoutEffect(() => element.current?.showModal(), []);
  const submitted = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit?.();
  };
  return html`<dialog ref=${element} aria-labelledby="dialog-title" onClose=${onClose}>
    <form onSubmit=${submitted}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
      <div class="buttons"><button type="button" onClick=${() => element.current?.close()}>Close</button>${buttons}</div>
    </form>
  </dialog>`;
}
