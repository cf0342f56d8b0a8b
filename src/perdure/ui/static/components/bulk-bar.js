// @ts-check
/** Operations on the ticked rows, or on all that match: how many each fits, and the dialog that says what it will do. */
import { html, useEffect, useLayoutEffect, useState } from "../vendor/preact-htm.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { BULK, applies, matching, scopeWords } from "../logic/bulk.js";
import { toSql } from "../logic/filters.js";
import { countLooks } from "../logic/list.js";
import { lookCounts } from "../api/rows.js";
import { Dialog } from "./dialog.js";
import { startJob } from "./jobs.js";
import { address, go } from "./router.js";

/** @typedef {import("../logic/filters.js").Filters} Filters */

const ASK = "perdure-bulk";

/** Opens the dialog of the first of these operations that fits what is ticked. @param {string[]} names */
export function askBulk(names) {
  dispatchEvent(new CustomEvent(ASK, { detail: names }));
}

/** @param {{list: import("../logic/list.js").List, ticked: Set<string>, filters: Filters, counts: Record<string, number> | null, onClear: () => void}} props */
export function BulkBar({ list, ticked, filters, counts, onClear }) {
  const [all, setAll] = useState(false);
  const [asked, ask] = useState("");
  const rows = [...ticked].flatMap((id) => list.rows.get(id) ?? []);
  const whole = all && counts !== null;
  const by = whole ? counts : countLooks(rows);
  const total = counts ? matching(counts, filters.status) : 0;
  const fits = (/** @type {string} */ name) => applies(name, by, whole ? filters.status : []);
  useLayoutEffect(() => {
    const heard = (/** @type {any} */ event) => ask(event.detail.find((/** @type {string} */ name) => fits(name) > 0) ?? "");
    addEventListener(ASK, heard);
    return () => removeEventListener(ASK, heard);
  });
  if (!total && !rows.length) return null;
  if (!rows.length && !all) return html`<p><button class="plain" onClick=${() => setAll(true)}>Operate on all ${total} that match…</button></p>`;
  const count = whole ? total : rows.length;
  return html`<div class="bulkbar bar" role="region" aria-label="Operations on many">
    <b>${whole ? `All ${total} that match` : `${rows.length} ticked`}</b>
    ${BULK.map((name) => {
      const n = fits(name);
      return n > 0 && html`<button key=${name} data-action=${name} class=${ACTIONS[name].danger ? "danger" : ""} onClick=${() => ask(name)}>
        ${ACTIONS[name].word} ${n === count ? n : `${n} of ${count}`}</button>`;
    })}
    ${!whole && counts && total > rows.length && html`<button class="plain" onClick=${() => setAll(true)}>or: all ${total} that match</button>`}
    <button class="plain" onClick=${() => (setAll(false), onClear())}>Clear</button>
    ${asked && html`<${BulkDialog} key=${asked} action=${asked} filters=${filters}
      ids=${whole ? null : rows.filter((row) => actionsFor(row).includes(asked)).map((row) => row.id)} onClose=${() => ask("")} />`}
  </div>`;
}

/** @param {{action: string, filters: Filters, ids: string[] | null, onClose: () => void}} props ids: null for all that match */
function BulkDialog({ action, filters, ids, onClose }) {
  const { word, danger, effect, deployment: moves } = ACTIONS[action];
  // What was asked for stays, while the list behind the dialog goes on.
  const [chosen] = useState(ids);
  const [counted, setCounted] = useState(chosen ? chosen.length : null);
  const [reason, setReason] = useState("");
  const [deployment, setDeployment] = useState(action === "restart-as-new" ? "latest" : "keep");
  const [failure, setFailure] = useState("");
  useEffect(() => {
    if (chosen) return;
    const controller = new AbortController();
    lookCounts(toSql(filters), controller.signal).then((by) => setCounted(applies(action, by, filters.status)), (error) => setFailure(error.message));
    return () => controller.abort();
  }, []);
  const begin = () => {
    if (!counted) return;
    const id = startJob(action, { filters, ids: chosen, total: counted, reason, deployment: moves ? deployment : "" });
    onClose();
    go(address(["bulk", id]));
  };
  const many = counted === null ? "…" : `${counted} ${counted === 1 ? "invocation" : "invocations"}`;
  const of = effect({ id: "", target: "", status: action === "resume" ? "paused" : "running" });
  return html`<${Dialog} title=${`${word}: ${many}`} onClose=${onClose} onSubmit=${begin}
    buttons=${html`<button class=${danger ? "danger" : "primary"} disabled=${!counted}>${word} ${many}</button>`}>
    <p dir="auto">${chosen ? `Those that are ticked${chosen.length === 1 ? "" : " and that it fits"}.` : html`Those that match now: <bdi>${scopeWords(action, filters)}</bdi>. What begins later is left alone.`}</p>
    <p class=${`effect tone-${danger ? "fail" : "run"}`}>Of each: ${of}</p>
    ${moves && html`<label class="field"><span>Code</span><select value=${deployment} onChange=${(/** @type {any} */ event) => setDeployment(event.target.value)}>
      <option value="keep">the deployment it began on</option><option value="latest">the newest deployment</option></select></label>`}
    <label class="field"><span>Reason, kept in the journal of each</span><input name="reason" value=${reason} maxlength="500" onInput=${(/** @type {any} */ event) => setReason(event.target.value)} /></label>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
  <//>`;
}
