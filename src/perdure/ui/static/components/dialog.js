// @ts-check
import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

/**
 * A modal dialog round a form. onClose: also called for Escape. onSubmit: the form was sent.
 * @param {{title: string, onClose: () => void, onSubmit?: (event: SubmitEvent) => void, children?: any, buttons?: any}} props
 */
export function Dialog({ title, onClose, onSubmit, children, buttons }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // At once: the next key already belongs to the dialog.
  useLayoutEffect(() => {
    element.current?.showModal();
  }, []);
  const submitted = /** @param {SubmitEvent} event */ (event) => {
    event.preventDefault();
    onSubmit?.(event);
  };
  return html`<dialog ref=${element} aria-labelledby="dialog-title" onClose=${onClose}>
    <form onSubmit=${submitted}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
      <div class="buttons">
        <button type="button" onClick=${() => element.current?.close()}>Close</button>
        ${buttons}
      </div>
    </form>
  </dialog>`;
}
