// @ts-check
import { literal } from "../logic/filters.js";
import { stepsOf } from "../logic/journal.js";
import { faultOf } from "../logic/json.js";
import { exampleOf, fieldsOf, jsonOf } from "../logic/schema.js";
import { why } from "../logic/status.js";
import {
	Choice, Code, at, html, idLink, query, request, useAct, useAnswer, useForm, useMemo, useNow, useState,
} from "./kit.js";
import { StatusBadge } from "./status-badge.js";
import { ValueView } from "./value.js";

export function TryIt({ service, handler: { name, input_json_schema: schema, input_description: takes } }) {
	const json = takes.startsWith("JSON ") || takes === "application/json";
	const fields = useMemo(() => (json && schema ? fieldsOf(schema) : null), []);
	const input = useForm(fields ? Object.fromEntries(fields.map((one) => [one.name, one.initial]))
		: { body: json && schema ? JSON.stringify(exampleOf(schema), null, 2) : "" });
	const { values: { key, delay, once }, field } = useForm({ key: "", delay: "", once: "" });
	const [sent, setSent] = useState("");
	const keyed = service.ty !== "Service";
	const body = fields ? jsonOf(fields, input.values) : input.values.body;

	const { busy, failure, run } = useAct(async () => {
		const search = new URLSearchParams({ ...(keyed && { key }), ...(delay && { delay }) });
		const type = json ? "application/json" : takes.includes("*") ? "text/plain" : takes;
		const headers = { ...(body && { "content-type": type }), ...(once && { "idempotency-key": once }) };
		const path = at("services", service.name, "handlers", name, "send");
		setSent((await request("POST", `${path}?${search}`, { json: body || undefined, headers })).invocationId);
	});
	const fieldOf = ({ name, label, kind, needed, options }) => input.field(name, label,
		kind === "choice" ? { as: Choice, of: options }
			: kind === "string" ? {} : { type: "number", step: "any", required: needed });
	return html`<form class="card" onSubmit=${(event) => (event.preventDefault(), run(event))}>
			${keyed && field("key", "Key")}
			${takes === "none" ? html`<p class="soft">It takes no input.</p>` : fields ? fields.map(fieldOf)
				: input.field("body", `Input, as ${json ? "JSON" : takes}`, { as: Code, json })}
			<details><summary>Delay, idempotency key</summary>
				${field("delay", "Start later, by (such as 10s, 2 hours)")}
				${field("once", "Idempotency key: nothing is started twice with it")}</details>
			${failure && html`<p class="invalid" role="alert">${failure}</p>`}
			<p><button class="primary" disabled=${busy || (json && !fields && body && faultOf(body))}>Send</button></p></form>
		${sent && html`<${Outcome} key=${sent} id=${sent} />`}`;
}

function Outcome({ id }) {
	const now = useNow();
	const { data } = useAnswer(async (signal) => {
		/** @type {any[]} */
		const [row] = await query(`SELECT * FROM sys_invocation WHERE id = ${literal(id)}`, signal);
		const journal = await query(`SELECT id, "index", entry_type, raw_length, appended_at, entry_lite_json
			FROM sys_journal WHERE id = ${literal(id)} AND entry_type = 'Command: Output'`, signal);
		return row && { row, outcome: stepsOf(row, journal, []).find((step) => step.kind === "output")?.outcome };
	}, [id], 1000);
	return html`<section class="card" aria-label="Outcome">
		<p>${idLink(id)}</p>${data && html`<p dir="auto"><${StatusBadge} row=${data.row} /> ${why(data.row, now)}</p>
		${data.outcome && html`<${ValueView} id=${id} outcome=${data.outcome} />`}`}</section>`;
}
