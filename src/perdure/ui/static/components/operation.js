// @ts-check
/** One operation on one invocation: states its effect, asks for a reason, carries it out, tells what came of it. */
import { html, useState } from "../vendor/preact-htm.js";
import { ACTIONS, actionsFor, requestOf } from "../logic/actions.js";
import { reasonHeaders, request } from "../api/http.js";
import { Link, address, go } from "./router.js";
import { Dialog } from "./dialog.js";
import { toast } from "./toast.js";

/** @typedef {import("../logic/status.js").Row} Row */

/** The buttons that fit the status of a row, the likeliest first. @param {{row: Row}} props */
export function Operations({ row }) {
  const [asked, ask] = useState(/** @type {string | null} */ (null));
  const names = actionsFor(row);
  return html`<span class="bar" role="group" aria-label="Operations">
    ${names.map((name, index) => html`<button
      key=${name} data-action=${name} class=${index === 0 ? "primary" : ACTIONS[name].danger ? "danger" : ""}
      onClick=${() => (name === "restart-as-new" ? go(address(["invocations", row.id, "restart"])) : ask(name))}>${ACTIONS[name].word}</button>`)}
    ${asked && html`<${OperationDialog} key=${asked} row=${row} name=${asked} onClose=${() => ask(null)} />`}
  </span>`;
}

/** @param {{row: Row, name: string, onClose: () => void}} props */
export function OperationDialog({ row, name, onClose }) {
  const action = ACTIONS[name];
  const [reason, setReason] = useState("");
  const [deployment, setDeployment] = useState("");
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const carryOut = async () => {
    setBusy(true);
    setFailure("");
    const { method, path } = requestOf(name, row.id, { deployment: deployment || undefined });
    try {
      const answer = await request(method, path, { headers: reasonHeaders(reason) });
      toast(told(action, row, answer));
      onClose();
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${`${action.word}: ${row.target}`} onClose=${onClose} onSubmit=${carryOut}
    buttons=${html`<button class=${action.danger ? "danger" : "primary"} disabled=${busy}>${action.word}</button>`}>
    <p class="mono soft">${row.id}</p>
    <p class=${`effect tone-${action.danger ? "fail" : "run"}`}>${action.effect(row)}</p>
    ${action.deployment && html`<label class="field"><span>Code</span>
      <select value=${deployment} onChange=${(/** @type {any} */ event) => setDeployment(event.target.value)}>
        <option value="">the deployment it began on</option>
        <option value="latest">the newest deployment</option>
      </select></label>`}
    <label class="field"><span>Reason, kept in its journal</span>
      <input name="reason" value=${reason} maxlength="500" onInput=${(/** @type {any} */ event) => setReason(event.target.value)} /></label>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
  <//>`;
}

/** @param {import("../logic/actions.js").Action} action @param {Row} row @param {any} answer */
function told(action, row, answer) {
  const begun = answer?.new_invocation_id;
  if (!begun) return `${action.done}: ${row.target}`;
  return html`${action.done}: <${Link} to=${address(["invocations", begun])}>${begun}<//>`;
}
