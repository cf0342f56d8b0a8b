// @ts-check
/** What the pages of the registry and of state share: a dialog that changes something, fields, and what stands for missing data. */
import { html, useState } from "../vendor/preact-htm.js";
import { faultOf } from "../logic/json.js";
import { Dialog } from "./dialog.js";
import { toast } from "./toast.js";

/**
 * States an effect and carries it out; a refusal stays where it can be read. act: gives what is told afterwards, or null to stay open.
 * @param {{title: string, word: string, effect: any, danger?: boolean, disabled?: boolean, act: () => Promise<any>, onClose: () => void, children?: any}} props
 */
export function Change({ title, word, effect, danger, disabled, act, onClose, children }) {
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const carryOut = async () => {
    setBusy(true);
    setFailure("");
    try {
      const told = await act();
      if (told !== null) {
        toast(told);
        onClose();
      }
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
    }
    setBusy(false);
  };
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${carryOut}
    buttons=${html`<button class=${danger ? "danger" : "primary"} disabled=${busy || disabled}>${word}</button>`}>
    <p class=${`effect tone-${danger ? "fail" : "run"}`}>${effect}</p>${children}
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}<//>`;
}

/** @param {{label: string, value: string, onValue: (value: string) => void, [more: string]: any}} props */
export function Text({ label, value, onValue, ...rest }) {
  return html`<label class="field"><span>${label}</span>
    <input value=${value} autocomplete="off" spellcheck="false" onInput=${(/** @type {any} */ event) => onValue(event.target.value)} ...${rest} /></label>`;
}

/** @param {{label: string, checked: boolean, onValue: (value: boolean) => void}} props */
export function Tick({ label, checked, onValue }) {
  return html`<p><label><input type="checkbox" checked=${checked} onChange=${(/** @type {any} */ event) => onValue(event.target.checked)} /> ${label}</label></p>`;
}

/** @param {{label: string, value: string, json: boolean, onValue: (value: string) => void}} props */
export function Code({ label, value, json, onValue }) {
  const fault = json ? faultOf(value) : "";
  return html`<label class="field"><span>${label}</span><textarea class="code" rows="5" spellcheck="false" dir="auto" value=${value}
      onInput=${(/** @type {any} */ event) => onValue(event.target.value)}></textarea></label>
    ${fault && value && html`<p class="invalid" role="status">Not JSON: ${fault}.</p>`}`;
}

/** Always an element, hidden when there is nothing to tell: what is around it keeps its place. @param {{answer: {data: any, failure: string}}} props */
export function Missing({ answer: { data, failure } }) {
  return html`<p class=${failure ? "invalid" : "soft"} role=${failure ? "alert" : undefined} hidden=${Boolean(data && !failure)}>${failure || "Loading…"}</p>`;
}

/** @param {{label: string, head: string[], children?: any}} props */
export function Table({ label, head, children }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead><tbody>${children}</tbody></table></div>`;
}

/** Warnings of the server. @param {{info?: {code: string, message: string}[]}} props */
export function Warnings({ info = [] }) {
  return info.map(({ code, message }) => html`<p key=${code + message} class="effect tone-retry">${code} ${message}</p>`);
}
