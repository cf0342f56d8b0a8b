// @ts-check
/** Operations on the ticked rows, or on all that match: how many each fits, and the dialog that says what it will do. */
import { html, useState } from "../vendor/preact-htm.js";
import { lookCounts, useAnswer } from "../api/answer.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { BULK, applies, invocations, matching, scopeWords } from "../logic/bulk.js";
import { toSql } from "../logic/filters.js";
import { countLooks } from "../logic/list.js";
import { startJob } from "./jobs.js";
import { OperationForm } from "./operation.js";
import { address, go } from "./router.js";

/** The bar, and what asks for the first operation of a key that fits something. @param {BulkProps} props */
export function useBulk({ list, ticked, filters, counts, onClear }) {
  const [all, setAll] = useState(false);
  const [asked, ask] = useState(/** @type {Scope?} */ (null));
  const rows = [...ticked].flatMap((id) => list.rows.get(id) ?? []);
  const total = counts ? matching(counts, filters) : 0;
  const whole = all && total > 0;
  const count = whole ? total : rows.length;
  const fits = (/** @type {string} */ name) =>
    whole && counts ? applies(name, counts, filters) : applies(name, countLooks(rows));
  const begin = (/** @type {string} */ name) =>
    ask({ name, ids: whole ? null : rows.filter((row) => actionsFor(row).includes(name)).map((row) => row.id) });
  const beginByKey = (/** @type {string} */ key) => {
    const name = BULK.find((name) => ACTIONS[name].key === key && fits(name) > 0);
    if (name) begin(name);
  };
  const clear = () => {
    setAll(false);
    onClear();
  };
  const offer = (/** @type {string} */ words) => html`<button class="plain" onClick=${() => setAll(true)}>${words}</button>`;
  const bar = html`<div class="bulkbar bar" role="region" aria-label="Operations on many">
    <b>${whole ? `All ${total} that match` : `${count} ticked`}</b>
    ${BULK.filter(fits).map((name) => html`<button key=${name} data-action=${name} onClick=${() => begin(name)}
      class=${ACTIONS[name].danger ? "danger" : ""}>${ACTIONS[name].word} ${fits(name)}${fits(name) < count && ` of ${count}`}
    </button>`)}
    ${!whole && total > count && offer(`or: all ${total} that match`)}
    <button class="plain" onClick=${clear}>Clear</button>
    ${asked && html`<${BulkDialog} key=${asked.name} ...${asked} filters=${filters} onClose=${() => ask(null)} />`}</div>`;
  return { beginByKey, bar: count ? bar : total > 0 && html`<p>${offer(`Operate on all ${total} that match…`)}</p>` };
}

/** @param {Scope & {filters: Filters, onClose: () => void}} props */
function BulkDialog({ name, ids, filters, onClose }) {
  const { word, effect } = ACTIONS[name];
  const count = async (/** @type {AbortSignal} */ signal) => applies(name, await lookCounts(toSql(filters), signal), filters);
  const { data, failure } = useAnswer(async (signal) => (ids ? ids.length : count(signal)), []);
  const total = ids ? ids.length : data;
  const many = total === null ? "…" : invocations(total);
  const act = async (/** @type {string} */ reason, deployment = "") => {
    go(address(["bulk", startJob({ action: name, filters, ids, total: total ?? 0, reason, deployment })]));
    return null;
  };
  const scope = ids ? "Those that are ticked and that it fits."
    : html`Those that match now: <bdi>${scopeWords(name, filters)}</bdi>. What begins later is left alone.`;
  return html`<${OperationForm} name=${name} title="${word}: ${many}" word="${word} ${many}" disabled=${!total} act=${act}
    effect="Of each: ${effect({ id: "", target: "", status: "running" })}" onClose=${onClose}><p dir="auto">${scope}</p>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}<//>`;
}
