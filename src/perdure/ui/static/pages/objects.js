// @ts-check
import {
	Change, Code, SHOWN_MAX, at, button, bytesOf, facts, faultOf, html, idLink, link, literal, oneLine, page, query,
	request, size, table, toInvocations, useAnswer, useDialog, useEffect, useForm, usePlace, useState, whereKey,
} from "../components/kit.js";

const KEYS = 100;
const ENTRIES = 200;
const QUEUE = 50;
const EMPTY = '""';

async function loadKeys(service, after, begins, signal) {
	const name = literal(service);
	const where = [
		`service_name = ${name}`, after && `service_key > ${literal(after)}`,
		begins && `service_key >= ${literal(begins)} AND service_key < ${literal(`${begins}\u{10ffff}`)}`,
	].filter(Boolean).join(" AND ");
	// Who holds a key or waits for it is an invocation.
	const invoked = `(SELECT target_service_name AS service_name, target_service_key AS service_key
		FROM sys_invocation_status) AS invoked`;
	const known = ["state", "sys_promise", invoked]
		.map((from) => `SELECT service_key FROM ${from} WHERE service_key IS NOT NULL AND ${where}`).join(" UNION ");
	const of = (what, from) =>
		`(SELECT ${what} FROM ${from} AS t WHERE t.service_name = ${name} AND t.service_key = keys.service_key)`;
	return query(`SELECT service_key AS key, ${of("count(*)", "state")} AS entries,
		${of("sum(value_length)", "state")} AS size, ${of("count(*)", "sys_inbox")} AS queue,
		${of("invocation_id", "sys_keyed_service_status")} AS holder
		FROM (${known} ORDER BY 1 LIMIT ${KEYS + 1}) AS keys ORDER BY 1`, signal);
}

/** id: name of the service. */
export function Keys({ id }) {
	const { after = "", begins = "" } = Object.fromEntries(usePlace().search);
	const asked = useAnswer((signal) => loadKeys(id, after, begins, signal), [id, after, begins]);
	const turn = (word, after) => button(["objects", id], word, { begins, after });
	return page([link(["objects"], "Objects"), " / ", id], asked, (rows) => html`
		${table("Keys", rows.slice(0, KEYS), "key", {
			Key: ({ key }) => link(["objects", id, key], key || EMPTY),
			Entries: "entries",
			Size: (row) => size(row.size),
			"Held by": ({ holder }) => (holder ? idLink(holder) : html`<small>nobody</small>`),
			Queue: "queue",
		}, "There is no key.")}
		<div class="bar">${after && turn("↑ First page", "")} 
			${rows.length > KEYS && turn("Next page ↓", rows[KEYS - 1].key)}</div>`,
	html`<form class="bar">
		<label>Keys that begin with <input name="begins" defaultValue=${begins} /></label><button>Find</button></form>`);
}

async function loadOne(service, key, signal) {
	const where = `WHERE ${whereKey(service, key)}`;
	const [entries, [held], queue, promises] = await Promise.all([
		`SELECT key, value_length, CASE WHEN value_length <= 4096 THEN value_utf8 END AS text FROM state ${where}
			ORDER BY key LIMIT ${ENTRIES + 1}`,
		`SELECT (SELECT invocation_id FROM sys_keyed_service_status ${where}) AS holder,
			(SELECT count(*) FROM sys_inbox ${where}) AS length`,
		`SELECT id FROM sys_inbox ${where} ORDER BY sequence_number LIMIT ${QUEUE}`,
		`SELECT key, completed, completion_success_value_utf8 AS value, completion_failure AS failure
			FROM sys_promise ${where} ORDER BY key LIMIT ${ENTRIES}`,
	].map((sql) => query(sql, signal)));
	return { entries, held, queue, promises };
}

/** id: name of the service. inner: the key. */
export function ObjectPage({ id, inner }) {
	const asked = useAnswer((signal) => loadOne(id, inner, signal), [id, inner]);
	const [open, dialog] = useDialog(EditEntry, asked.again);
	const edit = (name) => open({ service: id, id: inner, name });
	const value = (text = "") => html`<code dir="auto">${oneLine(text)}</code>`;
	return page([link(["objects", id]), " / ", inner || EMPTY], asked, ({ entries, held, queue, promises }) => html`
		${facts({ "Held by": held.holder ? idLink(held.holder) : "nobody", Queue: `${held.length} waiting` })}
		${held.length > 0 && html`<details><summary>The first in the queue</summary>
			<ol>${queue.map((one) => html`<li>${idLink(one.id)}</li>`)}</ol></details>`}
		<div class="head"><h2>State</h2><button onClick=${() => edit("")}>Add an entry…</button></div>
		${entries.length > ENTRIES && html`<p class="soft">The first ${ENTRIES} entries are shown.</p>`}
		${table("State", entries.slice(0, ENTRIES), "key", {
			Name: "key",
			Value: ({ text }) => (text === undefined ? html`<small>long or binary</small>` : value(text)),
			Size: (row) => size(row.value_length),
			Operations: ({ key }) => html`<button aria-label="Edit ${key}" onClick=${() => edit(key)}>Edit…</button>`,
		}, "It has no state.")}
		${promises.length > 0 && html`<h2>Promises</h2>${table("Promises", promises, "key", {
			Promise: "key",
			State: ({ completed, failure, key: promise }) => (failure ? "rejected" : completed ? "resolved"
				: link(["waits"], "open", { service: id, key: inner, promise })),
			Value: (row) => value(row.failure ?? row.value),
		})}`}
		${dialog}`,
	toInvocations({ service: id, key: inner }));
}

/** id: the key. name: of the entry, "" for a new one. */
function EditEntry({ service, id, name, onClose }) {
	const [before, setBefore] = useState(null);
	const { values, set, field } = useForm({ entry: name, text: "", plain: false, removes: false });
	const { entry, text, plain, removes } = values;
	useEffect(() => {
		const where = `${whereKey(service, id)} AND key = ${literal(name)}`;
		if (name) void query(`SELECT value, value_utf8 AS text FROM state WHERE ${where}`).then(([found]) => {
			const { text = "" } = found ?? {};
			setBefore(found);
			set({ ...values, text, plain: Boolean(text && faultOf(text)) });
		});
	}, []);
	const act = async () => {
		const seen = before && (before.text ?? [...bytesOf(before.value)]);
		const body = { object_key: id, name: entry, before: seen, value: removes ? null : text };
		const { applied } = await request("PATCH", at("services", service, "state"), { body });
		return applied ? `Changed ${entry}` : "It is changed when the key is free, if it still is this one";
	};
	return html`<${Change} title=${name ? `Change ${name}` : "Add an entry"} word=${removes ? "Remove" : "Save"}
			danger=${removes} ...${{ act, onClose }}
			disabled=${!entry || (name && !before) || (!plain && !removes && faultOf(text))}
			effect=${removes ? "The entry is gone for later handlers."
				: "Later handlers read this value. While an invocation holds the key, it waits in the queue."}>
		${!name && field("entry", "Name")}
		${before && html`<p class="soft">Before</p><pre dir="auto">
			${before.text?.slice(0, SHOWN_MAX) ?? `binary, ${before.value.length / 2} bytes`}</pre>`}
		${(before || !name) && !removes
			&& [field("text", "After", { as: Code, json: !plain }), field("plain", "It is text, not JSON")]}
		${before && field("removes", "Remove the entry")}<//>`;
}
