// @ts-check
import { ACTIONS, actionsFor, requestOf } from "../logic/actions.js";
import { Change, Choice, Text, address, go, html, reasonHeaders, request, useState } from "./kit.js";

export function Operations({ row }) {
	const [asked, ask] = useState("");
	const begin = (name) => (name === "restart-as-new" ? go(address(["invocations", row.id, "restart"])) : ask(name));
	return html`<span class="bar" role="group" aria-label="Operations">
		${actionsFor(row).map((name, index) => html`<button key=${name} name=${ACTIONS[name].key}
			class=${index ? ACTIONS[name].danger && "danger" : "primary"} onClick=${() => begin(name)}>
			${ACTIONS[name].word}</button>`)}
		${asked && html`<${OperationDialog} row=${row} name=${asked} onClose=${() => ask("")} />`}</span>`;
}

export function OperationDialog({ row, name, onClose }) {
	const { word, done, effect } = ACTIONS[name];
	const act = async (reason, deployment) => {
		const { method, path } = requestOf(name, row.id, { deployment });
		await request(method, path, { headers: reasonHeaders(reason) });
		return `${done}: ${row.target}`;
	};
	return html`<${OperationForm} name=${name} title="${word}: ${row.target}" word=${word} effect=${effect(row)}
		act=${act} onClose=${onClose}><p class="mono soft">${row.id}</p><//>`;
}

const CODES = { keep: "the deployment it began on", latest: "the newest deployment" };

export function OperationForm({ name, act, children, ...rest }) {
	const { danger, moves } = ACTIONS[name];
	const [reason, setReason] = useState("");
	const [code, setCode] = useState(name === "restart-as-new" ? "latest" : "keep");
	return html`<${Change} danger=${danger} act=${() => act(reason, moves ? code : undefined)} ...${rest}>${children}
		${moves && html`<${Choice} label="Code" of=${CODES} value=${code} onValue=${setCode} />`}
		<${Text} label="Reason, kept in its journal" name="reason" maxlength="500" value=${reason}
			onValue=${setReason} /><//>`;
}
