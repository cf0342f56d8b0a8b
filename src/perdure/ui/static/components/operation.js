// @ts-check
import { ACTIONS, actionsFor, requestOf } from "../logic/actions.js";
import { Change, Text, address, go, html, reasonHeaders, request, useState } from "./kit.js";

/** @param {{row: Row}} props */
export function Operations({ row }) {
  const [asked, ask] = useState("");
  const restart = address(["invocations", row.id, "restart"]);
  return html`<span class="bar" role="group" aria-label="Operations">
    ${actionsFor(row).map((name, index) => html`<button key=${name} data-action=${name}
      class=${index === 0 ? "primary" : ACTIONS[name].danger ? "danger" : ""}
      onClick=${() => (name === "restart-as-new" ? go(restart) : ask(name))}>${ACTIONS[name].word}</button>`)}
    ${asked && html`<${OperationDialog} key=${asked} row=${row} name=${asked} onClose=${() => ask("")} />`}</span>`;
}

/** @param {OperationDialogProps} props */
export function OperationDialog({ row, name, onClose }) {
  const { word, done, effect } = ACTIONS[name];
  /** @type {OperationProps["act"]} */
  const act = async (reason, deployment) => {
    const { method, path } = requestOf(name, row.id, { deployment });
    await request(method, path, { headers: reasonHeaders(reason) });
    return `${done}: ${row.target}`;
  };
  return html`<${OperationForm} name=${name} title="${word}: ${row.target}" word=${word} effect=${effect(row)}
    act=${act} onClose=${onClose}><p class="mono soft">${row.id}</p><//>`;
}

/** @param {OperationProps} props */
export function OperationForm({ name, act, children, ...rest }) {
  const { danger, moves } = ACTIONS[name];
  const [reason, setReason] = useState("");
  const [code, setCode] = useState(name === "restart-as-new" ? "latest" : "keep");
  return html`<${Change} danger=${danger} act=${() => act(reason, moves ? code : undefined)} ...${rest}>${children}
    ${moves && html`<label class="field"><span>Code</span>
      <select value=${code} onChange=${(event) => setCode(event.target.value)}>
        <option value="keep">the deployment it began on</option><option value="latest">the newest deployment</option>
      </select></label>`}
    <${Text} label="Reason, kept in its journal" name="reason" maxlength="500" value=${reason}
      onValue=${setReason} /><//>`;
}
