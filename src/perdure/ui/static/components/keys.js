// @ts-check
/** Keys of a page, and the dialog that tells them. */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { Dialog } from "./dialog.js";

/** @typedef {[key: string, word: string, run: () => void]} Key word: what it does, for the help */

/** Listens while it is on the page; `?` shows the help. @param {{keys: Key[]}} props */
export function Keys({ keys }) {
  const [help, setHelp] = useState(false);
  const known = useRef(keys);
  known.current = keys;
  // Before anything is seen: who sees a page can use its keys.
  useLayoutEffect(() => {
    const pressed = /** @param {KeyboardEvent} event */ (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), textarea, select, dialog, [popover]")) return;
      if (event.key === "Enter" && target.closest("a, button, summary")) return;
      if (event.key === "?") setHelp(true);
      else {
        const found = known.current.find(([key]) => key === event.key);
        if (!found) return;
        event.preventDefault();
        found[2]();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return html`<button class="plain keys" onClick=${() => setHelp(true)} aria-label="Keys"><kbd>?</kbd></button>
    ${help && html`<${Dialog} title="Keys" onClose=${() => setHelp(false)}>
      <dl class="facts">${[...keys, ["?", "shows this"]].map(([key, word]) => html`<dt key=${key}><kbd>${key}</kbd></dt><dd>${word}</dd>`)}</dl>
    <//>`}`;
}
