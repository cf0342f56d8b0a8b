// @ts-check
/** Dialogs that change something, fields, and what stands for missing data. */
import { html, useState } from "../vendor/preact-htm.js";
import { faultOf } from "../logic/json.js";
import { Dialog } from "./dialog.js";
import { toast } from "./toast.js";

/** @param {(given?: any) => Promise<any>} act */
export function useAct(act) {
  const [state, set] = useState({ busy: false, failure: "" });
  const run = async (/** @type {any} */ given) => {
    set({ busy: true, failure: "" });
    set({ busy: false, failure: await act(given).then(() => "", (error) => error.message) });
  };
  return { ...state, run };
}

/** States an effect and carries it out; a refusal stays where it can be read. @param {ChangeProps} props */
export function Change({ title, word, effect, danger, disabled, act, onClose, children }) {
  const { busy, failure, run } = useAct(async () => {
    const told = await act();
    if (told === null) return;
    toast(told);
    onClose();
  });
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${run}
    buttons=${html`<button class=${danger ? "danger" : "primary"} disabled=${busy || disabled}>${word}</button>`}>
    <p class=${`effect tone-${danger ? "fail" : "run"}`}>${effect}</p>${children}
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}<//>`;
}

/** @param {Props} props */
export function Text({ label, onValue, ...rest }) {
  return html`<label class="field"><span>${label}</span>
    <input autocomplete="off" ...${rest} onInput=${(event) => onValue?.(event.target.value)} /></label>`;
}

/** of: values and what they are called. @param {Props} props */
export function Choice({ label, of, onValue, ...rest }) {
  return html`<label class="field"><span>${label}</span>
    <select ...${rest} onChange=${(event) => onValue?.(event.target.value)}>${Object.entries(of).map(([name, word]) =>
      html`<option key=${name} value=${name}>${word}</option>`)}</select></label>`;
}

/** @param {Props} props */
export function Tick({ label, checked, onValue }) {
  return html`<p><label><input type="checkbox" checked=${checked}
    onChange=${(event) => onValue(event.target.checked)} /> ${label}</label></p>`;
}

/** @param {Props} props */
export function Code({ label, value, json, onValue }) {
  const fault = json && value && faultOf(value);
  return html`<label class="field"><span>${label}</span>
    <textarea class="code" rows="5" spellcheck="false" dir="auto" value=${value}
      onInput=${(event) => onValue(event.target.value)}></textarea></label>
    ${fault && html`<p class="invalid" role="status">Not JSON: ${fault}.</p>`}`;
}

/** @param {Props} props */
export function Table({ label, head, children }) {
  const heads = head.map((/** @type {string} */ name) => html`<th key=${name} scope="col">${name}</th>`);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table><thead><tr>${heads}</tr></thead><tbody>${children}</tbody></table></div>`;
}
