// @ts-check
/** Keys of objects and workflows: which there are, who holds them, what they know. */
import { html, useState } from "../vendor/preact-htm.js";
import { useAnswer } from "../api/answer.js";
import { query, request } from "../api/http.js";
import { Missing, Table } from "../components/change.js";
import { Link, address, search as setSearch, usePlace } from "../components/router.js";
import { EditEntry } from "../components/state-entry.js";
import { literal } from "../logic/filters.js";
import { oneLine } from "../logic/payload.js";
import { size } from "../logic/time.js";

const KEYS = 100;
const ENTRIES = 200;
const QUEUE = 50;

export function Objects() {
  const answer = useAnswer((signal) => request("GET", "/services", { signal }), []);
  const keyed = answer.data?.services.filter((/** @type {any} */ one) => one.ty !== "Service");
  return html`<div class="head"><h1>Objects and workflows</h1></div><${Missing} answer=${answer} />
    ${keyed?.length === 0 && html`<p class="empty">No service has keys.</p>`}
    ${keyed?.length > 0 && html`<${Table} label="Services with keys" head=${["Service", "Type", "Handlers"]}>${keyed.map((/** @type {any} */ one) => html`<tr key=${one.name}>
      <td><${Link} to=${address(["objects", one.name])}><bdi>${one.name}</bdi><//></td><td>${one.ty}</td>
      <td>${one.handlers.map((/** @type {any} */ handler) => handler.name).join(", ")}</td></tr>`)}<//>`}`;
}

/** A page of keys with what is known of each. @param {string} service @param {string} after @param {string} begins @param {AbortSignal} signal */
async function loadKeys(service, after, begins, signal) {
  const name = literal(service);
  const bounds = [`service_key > ${literal(after)}`];
  if (begins) bounds.push(`service_key >= ${literal(begins)}`, `service_key < ${literal(`${begins}\u{10ffff}`)}`);
  const where = bounds.join(" AND ");
  const tables = ["state", "sys_keyed_service_status", "sys_inbox", "sys_promise"].map((table) => `SELECT service_key FROM ${table} WHERE service_name = ${name} AND ${where}`);
  const invoked = `SELECT target_service_key AS service_key FROM sys_invocation_status WHERE target_service_name = ${name} AND target_service_key IS NOT NULL AND ${where.replaceAll("service_key", "target_service_key")}`;
  const found = await query(`SELECT DISTINCT service_key FROM (${[...tables, invoked].join(" UNION ")}) AS keys ORDER BY service_key LIMIT ${KEYS + 1}`, signal);
  const keys = found.slice(0, KEYS).map((row) => row.service_key);
  if (!keys.length) return { rows: [], more: false };
  const these = `service_name = ${name} AND service_key IN (${keys.map(literal).join(", ")})`;
  const [states, locks, queues] = await Promise.all([
    query(`SELECT service_key, count(*) AS n, sum(value_length) AS size FROM state WHERE ${these} GROUP BY 1`, signal),
    query(`SELECT service_key, invocation_id FROM sys_keyed_service_status WHERE ${these}`, signal),
    query(`SELECT service_key, count(*) AS n FROM sys_inbox WHERE ${these} GROUP BY 1`, signal),
  ]);
  const of = (/** @type {any[]} */ rows) => new Map(rows.map((row) => [row.service_key, row]));
  const [state, lock, queue] = [of(states), of(locks), of(queues)];
  return { rows: keys.map((key) => ({ key, state: state.get(key), lock: lock.get(key)?.invocation_id, queue: queue.get(key)?.n ?? 0 })), more: found.length > KEYS };
}

/** @param {{service: string}} props */
export function Keys({ service }) {
  const { search } = usePlace();
  const [after, begins] = [search.get("after") ?? "", search.get("begins") ?? ""];
  const answer = useAnswer((signal) => loadKeys(service, after, begins, signal), [service, after, begins]);
  const { data } = answer;
  const goTo = (/** @type {Record<string, string>} */ next) => setSearch(new URLSearchParams(Object.entries(next).filter(([, value]) => value)));
  const submit = (/** @type {any} */ event) => (event.preventDefault(), goTo({ begins: event.target.elements.begins.value }));
  return html`<div class="head"><h1><${Link} to=${address(["objects"])}>Objects<//> / <bdi>${service}</bdi></h1></div>
    <form class="bar" onSubmit=${submit}><label>Keys that begin with <input name="begins" defaultValue=${begins} /></label><button>Find</button></form>
    <${Missing} answer=${answer} />${data?.rows.length === 0 && html`<p class="empty">No key has state, a lock, a queue or an invocation that is kept.</p>`}
    ${data && data.rows.length > 0 && html`<${Table} label="Keys" head=${["Key", "State", "Held by", "Queue"]}>${data.rows.map((row) => html`<tr key=${row.key}>
      <td><${Link} to=${address(["objects", service, row.key])}><bdi>${row.key || '""'}</bdi><//></td>
      <td>${row.state ? `${row.state.n} ${row.state.n === 1 ? "entry" : "entries"}, ${size(row.state.size)}` : "none"}</td>
      <td class="mono">${row.lock ? html`<${Link} to=${address(["invocations", row.lock])}>${row.lock}<//>` : html`<span class="soft">free</span>`}</td><td>${row.queue}</td></tr>`)}<//>`}
    <div class="pager">${after && html`<button onClick=${() => goTo({ begins })}>↑ To the first page</button>`}
      ${data?.more && html`<button onClick=${() => goTo({ begins, after: data.rows[data.rows.length - 1].key })}>Next page ↓</button>`}</div>`;
}

/** @param {string} service @param {string} key @param {AbortSignal} signal */
async function loadOne(service, key, signal) {
  const where = `service_name = ${literal(service)} AND service_key = ${literal(key)}`;
  const [entries, locks, queue, length, promises] = await Promise.all([
    query(`SELECT key, value_length, CASE WHEN value_length <= 4096 THEN value_utf8 END AS text FROM state WHERE ${where} ORDER BY key LIMIT ${ENTRIES + 1}`, signal),
    query(`SELECT invocation_id FROM sys_keyed_service_status WHERE ${where}`, signal),
    query(`SELECT id FROM sys_inbox WHERE ${where} ORDER BY sequence_number LIMIT ${QUEUE}`, signal),
    query(`SELECT count(*) AS n FROM sys_inbox WHERE ${where}`, signal),
    query(`SELECT key, completed, completion_success_value_utf8 AS value, completion_failure AS failure FROM sys_promise WHERE ${where} ORDER BY key LIMIT ${ENTRIES}`, signal),
  ]);
  return { entries: entries.slice(0, ENTRIES), more: entries.length > ENTRIES, lock: locks[0]?.invocation_id, queue, length: length[0].n, promises };
}

/** @param {{service: string, id: string}} props id: its key */
export function ObjectPage({ service, id }) {
  const answer = useAnswer((signal) => loadOne(service, id, signal), [service, id]);
  const [edited, setEdited] = useState(/** @type {string | null} */ (null));
  const { data } = answer;
  return html`<div class="head"><h1><${Link} to=${address(["objects", service])}><bdi>${service}</bdi><//> / <bdi>${id}</bdi></h1><span class="grow"></span>
      <${Link} class="button" to=${address(["invocations"], { service, key: id })}>Invocations<//></div>
    <${Missing} answer=${answer} />
    ${data && html`<dl class="facts"><dt>Held by</dt><dd class="mono">${data.lock ? html`<${Link} to=${address(["invocations", data.lock])}>${data.lock}<//>` : "nobody: it is free"}</dd>
        <dt>Queue</dt><dd>${data.length === 0 ? "empty" : `${data.length} waiting`}</dd></dl>
      ${data.queue.length > 0 && html`<details><summary>The first ${data.queue.length} in the queue</summary><ol>${data.queue.map((row) => html`<li key=${row.id} class="mono">
        <${Link} to=${address(["invocations", row.id])}>${row.id}<//></li>`)}</ol></details>`}
      <div class="head"><h2>State</h2><button disabled=${data.more} onClick=${() => setEdited("")}>Add an entry…</button></div>
      ${data.more && html`<p class="soft">The first ${ENTRIES} entries are shown. So many cannot be changed here.</p>`}
      ${data.entries.length === 0 ? html`<p class="empty">It has no state.</p>` : html`<${Table} label="State" head=${["Name", "Value", "Size", "Operations"]}>
        ${data.entries.map((row) => html`<tr key=${row.key}><td><bdi>${row.key}</bdi></td><td class="mono" dir="auto">${row.text === undefined ? html`<span class="soft">long or binary</span>` : oneLine(row.text, 120)}</td>
          <td class="nowrap">${size(row.value_length)}</td><td><button disabled=${data.more} aria-label=${`Edit ${row.key}`} onClick=${() => setEdited(row.key)}>Edit…</button></td></tr>`)}<//>`}
      ${data.promises.length > 0 && html`<h2>Promises</h2><${Table} label="Promises" head=${["Promise", "State", "Value"]}>${data.promises.map((row) => html`<tr key=${row.key}>
        <td><bdi>${row.key}</bdi></td><td>${row.completed ? (row.failure ? "rejected" : "resolved") : "open"}</td><td class="mono" dir="auto">${oneLine(row.failure ?? row.value ?? "", 120)}</td></tr>`)}<//>`}
      ${edited !== null && html`<${EditEntry} key=${edited} service=${service} id=${id} name=${edited} onClose=${() => (setEdited(null), answer.again())} />`}`}`;
}
