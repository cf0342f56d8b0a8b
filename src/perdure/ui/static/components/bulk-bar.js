// @ts-check
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { BULK, applies, countLooks, matching, scopeWords } from "../logic/bulk.js";
import { counted, toSql } from "../logic/filters.js";
import { startJob } from "./jobs.js";
import { address, go, html, lookCounts, useAnswer, useState } from "./kit.js";
import { OperationForm } from "./operation.js";

export function useBulk({ rows, filters, counts, onClear }) {
	const [all, setAll] = useState(false);
	const [asked, ask] = useState(null);
	const total = matching(counts ?? {}, filters);
	const whole = all && total > 0;
	const count = whole ? total : rows.length;
	const fits = (name) => (whole ? applies(name, counts, filters) : applies(name, countLooks(rows)));
	const begin = (name) => {
		const ids = rows.filter((row) => actionsFor(row).includes(name)).map((row) => row.id);
		ask({ name, ids: whole ? null : ids });
	};
	const beginByKey = (key) => {
		const name = BULK.find((name) => ACTIONS[name].key === key && fits(name));
		if (name) begin(name);
	};
	const clear = () => (setAll(false), onClear());
	const offer = (words) =>
		html`<button class="plain" onClick=${() => setAll(true)}>${words} all ${total} that match</button>`;
	const button = (name, n = fits(name)) => n > 0 && html`<button key=${name} class=${ACTIONS[name].danger && "danger"}
		onClick=${() => begin(name)}>${ACTIONS[name].word} ${n}${n < count && ` of ${count}`}</button>`;
	const bar = html`<div class="card bar bulkbar" role="region" aria-label="Operations on many">
		<b>${whole ? `All ${total} that match` : `${count} ticked`}</b>${BULK.map((name) => button(name))}
		${!whole && total > count && offer("or:")}<button class="plain" onClick=${clear}>Clear</button>
		${asked && html`<${BulkDialog} ...${asked} filters=${filters} onClose=${() => ask(null)} />`}
		</div>`;
	return { beginByKey, bar: count ? bar : total > 0 && html`<p>${offer("Operate on")}</p>` };
}

function BulkDialog({ name, ids, filters, onClose }) {
	const { word, effect } = ACTIONS[name];
	const { data, failure } = useAnswer(
		async (signal) => ids?.length ?? applies(name, await lookCounts(toSql(filters), signal), filters), []);
	const total = ids?.length ?? data ?? 0;
	const many = total ? counted(total, "invocation") : "…";
	const act = async (reason, deployment) => {
		go(address(["bulk", startJob({ action: name, filters, ids, total, reason, deployment })]));
		return null;
	};
	const scope = ids ? "Those ticked that it fits."
		: html`Those that match now: <bdi>${scopeWords(name, filters)}</bdi>. What begins later is left alone.`;
	return html`<${OperationForm} name=${name} title="${word}: ${many}" word="${word} ${many}" disabled=${!total}
		effect="Of each: ${effect({ status: "running" })}" act=${act} onClose=${onClose}>
		<p dir="auto">${scope}</p>${failure && html`<p class="invalid" role="alert">${failure}</p>`}<//>`;
}
