// @ts-check
/** The table of invocations. */
import { html, useMemo } from "../vendor/preact-htm.js";
import { SORTS } from "../logic/list.js";
import { look, why } from "../logic/status.js";
import { clockTime, duration, millis, relative } from "../logic/time.js";
import { Link, address } from "./router.js";
import { StatusBadge } from "./status-badge.js";

/** @typedef {import("../logic/status.js").Row} Row */
/** @typedef {{now: number, zone: "utc" | "local"}} Times */
/** @typedef {{word: string, sort?: string, right?: boolean, cell: (row: Row, times: Times) => any}} Column */

const time = (/** @type {string} */ column) => (/** @type {Row} */ row, /** @type {Times} */ { now, zone }) => {
  const at = millis(row[column]);
  return html`<time class="nowrap soft" title=${clockTime(at, zone, now)}>${relative(at, now)}</time>`;
};
const text = (/** @type {string} */ column) => (/** @type {Row} */ row) => html`<bdi class="cut">${row[column] ?? ""}</bdi>`;

/** @type {Record<string, Column>} */
export const COLUMNS = {
  status: { word: "Status", sort: "status", cell: (row) => html`<${StatusBadge} row=${row} />` },
  target: { word: "Target", sort: "target", cell: target },
  id: { word: "Invocation", cell: (row) => html`<${Link} class="mono nowrap" to=${address(["invocations", row.id])}>${row.id.slice(0, 12)}…<//>` },
  why: { word: "Why", cell: (row, { now }) => reason(row, now) },
  took: { word: "Took", sort: "took", right: true, cell: took },
  created: { word: "Created", sort: "created", cell: time("created_at") },
  modified: { word: "Modified", sort: "modified", cell: time("modified_at") },
  completed: { word: "Completed", cell: time("completed_at") },
  tries: { word: "Tries", right: true, cell: text("retry_count") },
  key: { word: "Key", cell: text("target_service_key") },
  deployment: { word: "Deployment", cell: text("pinned_deployment_id") },
  caller: { word: "Called by", cell: (row) => html`<bdi class="cut">${row.invoked_by_target ?? row.invoked_by ?? ""}</bdi>` },
  idempotency: { word: "Idempotency key", cell: text("idempotency_key") },
};
export const USUAL = ["status", "target", "id", "why", "took", "created"];

/** @param {Row} row */
function target(row) {
  return html`<${Link} class="target" to=${address(["invocations", row.id])} title=${row.target}><bdi>${row.target_service_name}</bdi>${row.target_service_key !== undefined && row.target_service_key !== null
    && html`<span class="soft">/</span><bdi>${row.target_service_key}</bdi>`}<span class="soft">/</span><b>${row.target_handler_name}</b><//>`;
}

/** @param {Row} row @param {number} now */
function reason(row, now) {
  const said = why(row, now);
  return html`<bdi class=${`why tone-${look(row).tone}`} title=${said.slice(0, 2000)}>${said.slice(0, 300)}</bdi>`;
}

/** @param {Row} row @param {Times} times */
function took(row, { now }) {
  const created = millis(row.created_at);
  return html`<span class="nowrap">${created === null ? "" : duration((millis(row.completed_at) ?? Math.max(now, created)) - created)}</span>`;
}

/** @param {Row} row */
export function nameOf(row) {
  return `${row.target} ${row.id}`;
}

/**
 * @param {{list: import("../logic/list.js").List, columns: string[], place: import("../logic/list.js").Place, times: Times, ticked: Set<string>, current: string,
 *   onSort: (by: string) => void, onTick: (id: string, range: boolean) => void, onTickAll: () => void, onCurrent: (id: string) => void, onHover: (over: boolean) => void}} props
 */
export function Rows({ list, columns, place, times, ticked, current, onSort, onTick, onTickAll, onCurrent, onHover }) {
  const all = list.order.length > 0 && list.order.every((id) => ticked.has(id));
  return html`<div class="scroll" onMouseEnter=${() => onHover(true)} onMouseLeave=${() => onHover(false)}><table class="list">
    <thead><tr><th scope="col" class="tick"><input type="checkbox" aria-label="Tick all rows of this page" checked=${all} onChange=${onTickAll} /></th>
      ${columns.map((name) => {
        const { word, sort, right } = COLUMNS[name];
        const sorted = sort && place.by === sort ? (place.up ? "ascending" : "descending") : undefined;
        return html`<th key=${name} scope="col" class=${right ? "right" : ""} aria-sort=${sorted}>${sort && sort in SORTS
          ? html`<button class="link" onClick=${() => onSort(sort)}>${word}${sorted ? html`<span aria-hidden="true"> ${place.up ? "▲" : "▼"}</span>` : ""}</button>` : word}</th>`;
      })}</tr></thead>
    <tbody>${list.order.map((id) => html`<${RowLine} key=${id} row=${list.rows.get(id)} left=${list.left.has(id)} columns=${columns} times=${times}
      ticked=${ticked.has(id)} current=${current === id} onTick=${onTick} onCurrent=${onCurrent} />`)}</tbody>
  </table></div>`;
}

/** One row; it is drawn again only when something of it is different. @param {any} props */
function RowLine({ row, left, columns, times, ticked, current, onTick, onCurrent }) {
  // Of what is over only "… ago" moves, and by the minute.
  const second = row.status === "completed" && times.now - Date.parse(row.completed_at) > 60000 ? Math.floor(times.now / 60000) : times.now;
  return useMemo(() => html`<tr data-id=${row.id} class=${`${current ? "current" : ""}${left ? " left" : ""}${ticked ? " chosen" : ""}`}
      title=${left ? "It does not match any more" : undefined} onClick=${() => onCurrent(row.id)} onFocusIn=${() => onCurrent(row.id)}>
    <td class="tick"><input type="checkbox" aria-label=${`Tick ${nameOf(row)}`} checked=${ticked}
      onClick=${(/** @type {MouseEvent} */ event) => onTick(row.id, event.shiftKey)} /></td>
    ${columns.map((/** @type {string} */ name) => html`<td key=${name} class=${COLUMNS[name].right ? "right" : `col-${name}`}>${COLUMNS[name].cell(row, times)}</td>`)}
  </tr>`, [row, left, columns, second, times.zone, ticked, current]);
}
