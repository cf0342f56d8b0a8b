// @ts-check
/** Dialogs that change something, fields, and what stands for missing data. */
import { html, useState } from "../vendor/preact-htm.js";
import { faultOf } from "../logic/json.js";
import { Dialog } from "./dialog.js";
import { toast } from "./toast.js";

/** Runs something once at a time; a refusal stays where it can be read. @param {() => Promise<any>} act */
export function useAct(act) {
  const [{ busy, failure }, set] = useState({ busy: false, failure: "" });
  const run = async () => {
    set({ busy: true, failure: "" });
    const refused = await act().then(() => "", (error) => error.message);
    set({ busy: false, failure: refused });
  };
  return { busy, failure, run };
}

/** States an effect and carries it out. @param {ChangeProps} props */
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

/** @param {FieldProps} props */
export function Text({ label, onValue, ...rest }) {
  return html`<label class="field"><span>${label}</span>
    <input autocomplete="off" spellcheck="false" ...${rest} onInput=${(event) => onValue(event.target.value)} /></label>`;
}

/** of: values and what they are called. @param {FieldProps & {of: Record<string, string>}} props */
export function Choice({ label, value, of, onValue }) {
  return html`<label class="field"><span>${label}</span><select value=${value} onChange=${(event) => onValue(event.target.value)}>
    ${Object.entries(of).map(([name, word]) => html`<option key=${name} value=${name}>${word}</option>`)}</select></label>`;
}

/** @param {{label: string, value: boolean, onValue: (value: boolean) => void}} props */
export function Tick({ label, value, onValue }) {
  return html`<p><label><input type="checkbox" checked=${value} onChange=${(event) => onValue(event.target.checked)} /> ${label}</label></p>`;
}

/** @param {FieldProps} props */
export function Code({ label, value, json, onValue }) {
  const fault = json && value && faultOf(value);
  return html`<label class="field"><span>${label}</span><textarea class="code" rows="5" spellcheck="false" dir="auto" value=${value}
      onInput=${(event) => onValue(event.target.value)}></textarea></label>
    ${fault && html`<p class="invalid" role="status">Not JSON: ${fault}.</p>`}`;
}

/** @param {{label: string, head: string[], children?: any}} props */
export function Table({ label, head, children }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${head.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead><tbody>${children}</tbody></table></div>`;
}
