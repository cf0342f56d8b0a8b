// @ts-check
/** Keys of objects and workflows: which there are, who holds them, what they know. */
import {
  counted, facts, html, idLink, link, page, query, search as setSearch, table, useAnswer, useGet, usePlace, useState,
} from "../components/kit.js";
import { EditEntry } from "../components/state-entry.js";
import { literal } from "../logic/filters.js";
import { oneLine } from "../logic/payload.js";
import { size } from "../logic/time.js";

const KEYS = 100;
const ENTRIES = 200;
const QUEUE = 50;

export function Objects() {
  /** @type {Asked<{services: Service[]}>} */
  const asked = useGet("/services");
  return page("Objects and workflows", asked, ({ services }) =>
    table("Services with keys", services.filter((one) => one.ty !== "Service"), "name", {
      Service: (one) => link(["objects", one.name]),
      Type: (one) => one.ty,
      Handlers: (one) => one.handlers.map(({ name }) => name).join(", "),
    }, { empty: "No service has keys." }));
}

/** A page of keys with what is known of each. @param {string} service @param {string} after @param {string} begins @param {AbortSignal} signal */
async function loadKeys(service, after, begins, signal) {
  const where = [`service_name = ${literal(service)}`, after && `service_key > ${literal(after)}`,
    begins && `service_key >= ${literal(begins)} AND service_key < ${literal(`${begins}\u{10ffff}`)}`].filter(Boolean).join(" AND ");
  const from = ["state", "sys_keyed_service_status", "sys_inbox", "sys_promise"].map((name) => `SELECT service_key FROM ${name} WHERE ${where}`);
  const invoked = `SELECT target_service_key FROM sys_invocation_status WHERE target_service_key IS NOT NULL AND ${where.replaceAll(/\bservice_(?=name|key)/g, "target_service_")}`;
  const of = (/** @type {string} */ what, /** @type {string} */ name) =>
    `(SELECT ${what} FROM ${name} AS t WHERE t.service_name = ${literal(service)} AND t.service_key = keys.service_key)`;
  const rows = await query(`SELECT service_key, ${of("count(*)", "state")} AS entries, ${of("sum(value_length)", "state")} AS size,
    ${of("invocation_id", "sys_keyed_service_status")} AS holder, ${of("count(*)", "sys_inbox")} AS queue
    FROM (SELECT DISTINCT service_key FROM (${[...from, invoked].join(" UNION ")}) AS known ORDER BY 1 LIMIT ${KEYS + 1}) AS keys ORDER BY 1`, signal);
  return { rows: rows.slice(0, KEYS), more: rows.length > KEYS };
}

/** @param {{id: string}} props name of the service */
export function Keys({ id }) {
  const { search } = usePlace();
  const [after, begins] = [search.get("after") ?? "", search.get("begins") ?? ""];
  const asked = useAnswer((signal) => loadKeys(id, after, begins, signal), [id, after, begins]);
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    setSearch(new URLSearchParams({ begins: event.target.begins.value }));
  };
  const turn = (/** @type {string} */ word, /** @type {Record<string, string>} */ next) =>
    link(["objects", id], word, { begins, ...next }, { class: "button" });
  return page([link(["objects"], "Objects"), " / ", id], asked, ({ rows, more }) => html`
    ${table("Keys", rows, "service_key", {
      Key: ({ service_key: key }) => link(["objects", id, key], key || '""'),
      State: (row) => (row.entries ? `${counted(row.entries, "entry", "entries")}, ${size(row.size)}` : "none"),
      "Held by": ({ holder }) => (holder ? idLink(holder) : html`<span class="soft">free</span>`),
      Queue: (row) => row.queue,
    }, { empty: "No key has state, a lock, a queue or an invocation that is kept." })}
    <div class="bar">${after && turn("↑ To the first page", {})}
      ${more && turn("Next page ↓", { after: rows[KEYS - 1].service_key })}</div>`,
  html`<form class="bar" onSubmit=${submit}><label>Keys that begin with <input name="begins" defaultValue=${begins} /></label>
    <button>Find</button></form>`);
}

/** @param {string} service @param {string} key @param {AbortSignal} signal */
async function loadOne(service, key, signal) {
  const where = `WHERE service_name = ${literal(service)} AND service_key = ${literal(key)}`;
  const [entries, [held], queue, promises] = await Promise.all([
    query(`SELECT key, value_length, CASE WHEN value_length <= 4096 THEN value_utf8 END AS text FROM state ${where}
      ORDER BY key LIMIT ${ENTRIES + 1}`, signal),
    query(`SELECT (SELECT invocation_id FROM sys_keyed_service_status ${where}) AS holder,
      (SELECT count(*) FROM sys_inbox ${where}) AS length`, signal),
    query(`SELECT id FROM sys_inbox ${where} ORDER BY sequence_number LIMIT ${QUEUE}`, signal),
    query(`SELECT key, completed, completion_success_value_utf8 AS value, completion_failure AS failure FROM sys_promise ${where}
      ORDER BY key LIMIT ${ENTRIES}`, signal),
  ]);
  const { holder, length } = held;
  return { entries: entries.slice(0, ENTRIES), more: entries.length > ENTRIES, holder, length, queue, promises };
}

/** @param {{id: string, inner: string}} props name of the service, and the key */
export function ObjectPage({ id, inner }) {
  const asked = useAnswer((signal) => loadOne(id, inner, signal), [id, inner]);
  const [edited, setEdited] = useState(/** @type {string | null} */ (null));
  const value = (/** @type {string} */ text) => html`<bdi class="mono">${oneLine(text, 120)}</bdi>`;
  return page([link(["objects", id]), " / ", inner || '""'], asked, ({ entries, more, holder, length, queue, promises }) => html`
    ${facts({ "Held by": holder ? idLink(holder) : "nobody: it is free", Queue: length ? `${length} waiting` : "empty" })}
    ${length > 0 && html`<details><summary>The first ${queue.length} in the queue</summary>
      <ol>${queue.map((one) => html`<li>${idLink(one.id)}</li>`)}</ol></details>`}
    <div class="head"><h2>State</h2><button disabled=${more} onClick=${() => setEdited("")}>Add an entry…</button></div>
    ${more && html`<p class="soft">The first ${ENTRIES} entries are shown. So many cannot be changed here.</p>`}
    ${table("State", entries, "key", {
      Name: ({ key }) => html`<bdi>${key}</bdi>`,
      Value: ({ text }) => (text === undefined ? html`<span class="soft">long or binary</span>` : value(text)),
      Size: (row) => size(row.value_length),
      Operations: ({ key }) => html`<button disabled=${more} aria-label=${`Edit ${key}`} onClick=${() => setEdited(key)}>Edit…</button>`,
    }, { empty: "It has no state." })}
    ${promises.length > 0 && html`<h2>Promises</h2>${table("Promises", promises, "key", {
      Promise: ({ key }) => html`<bdi>${key}</bdi>`,
      State: ({ completed, failure, key }) => (failure ? "rejected" : completed ? "resolved"
        : link(["waits"], "open", { service: id, key: inner, promise: key })),
      Value: (row) => value(row.failure ?? row.value ?? ""),
    })}`}
    ${edited !== null && html`<${EditEntry} key=${edited} service=${id} id=${inner} name=${edited}
      onClose=${() => (setEdited(null), asked.again())} />`}`,
  link(["invocations"], "Invocations", { service: id, key: inner }, { class: "button" }));
}
