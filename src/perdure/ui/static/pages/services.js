// @ts-check
import {
	Change, Choice, Code, StatusBadge, at, button, facts, fault, faultOf, html, idLink, link, literal, page, query,
	request, stepsOf, submitting, table, toInvocations, useAct, useAnswer, useDialog, useForm, useGet, useMemo, useNow,
	usePlace, useState, warnings, why,
} from "../components/kit.js";
import { ValueView } from "../components/value.js";
import { exampleOf, fieldsOf, jsonOf } from "../logic/schema.js";

const DURATIONS = Object.entries({
	idempotency_retention: "Results are kept for idempotency keys",
	workflow_completion_retention: "Completed workflows are kept",
	journal_retention: "Journals are kept",
	inactivity_timeout: "Suspended after being idle for",
	abort_timeout: "Aborted unless suspended within",
});

const hidden = (one) => !one.public && " (private)";
/** @type {(name: string) => Asked<Service>} */
const useService = (name) => useGet(at("services", name));

export function Services() {
	const [place] = usePlace().path;
	const all = place === "services";
	const title = all ? "Services" : "Objects and workflows";
	/** @type {Asked<{services: Service[]}>} */
	const asked = useGet("/services");
	const wanted = ({ ty }) => all || ty !== "Service";
	return page(title, asked, ({ services }) => table(title, services.filter(wanted), "name", {
		Service: (one) => [link([place, one.name]), hidden(one)],
		Type: "ty",
		Handlers: (one) => one.handlers.map(({ name }) => [link(["services", one.name, name]), " "]),
		Revision: "revision",
		Deployment: (one) => idLink(one.deployment_id),
		Invocations: (one) =>
			link(["invocations"], "list", { service: one.name }, { "aria-label": `list of invocations of ${one.name}` }),
	}, "None is registered."));
}

export function Service({ id }) {
	const asked = useService(id);
	const [change, dialog] = useDialog(Settings, asked.again);
	const keyed = asked.data && asked.data.ty !== "Service";
	return page(id, asked, (service) => html`
		<p dir="auto">${service.documentation}</p>${warnings(service.info)}
		<h2>Handlers</h2>${table("Handlers", service.handlers, "name", {
			Handler: (one) => [link(["services", id, one.name]), hidden(one)],
			Type: "ty",
			"Input → output": (one) => `${one.input_description} → ${one.output_description}`,
			About: "documentation",
		})}
		<div class="head"><h2>Settings</h2><button onClick=${() => change({ service })}>Change…</button></div>
		${settingsOf(service)}${dialog}`,
	[toInvocations({ service: id }), keyed && button(["objects", id], "Keys")]);
}

function settingsOf({ retry_policy: { max_attempts: most, ...retry }, ...service }) {
	const end = most ? `${most} attempts, then ${retry.on_max_attempts.toLowerCase()}` : "no end";
	return facts({
		Type: `${service.ty}, revision ${service.revision}`,
		Deployment: idLink(service.deployment_id),
		"Can be called from outside": service.public ? "yes" : "no",
		...Object.fromEntries(DURATIONS.map(([key, word]) => [word, service[key]])),
		Retries: `${retry.initial_interval}, × ${retry.exponentiation_factor} up to ${retry.max_interval}; ${end}`,
	});
}

function Settings({ service, onClose }) {
	const { values, field } = useForm(service);
	const body = Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== service[key]));
	const act = async () => {
		await request("PATCH", at("services", service.name), { body });
		return `Changed ${service.name}`;
	};
	return html`<${Change} title="Settings of ${service.name}" word="Change" ...${{ act, onClose }}
			disabled=${!Object.keys(body).length}
			effect="It holds until the service is registered again.">
		${field("public", "Can be called from outside")}
		${DURATIONS.map(([key, word]) => service[key] && field(key, `${word} (such as 90s, 2 hours, PT30M)`))}<//>`;
}

/** id: the service. inner: the handler. */
export function HandlerPage({ id, inner }) {
	return page([link(["services", id]), " / ", inner], useService(id), (service) => {
		const handler = service.handlers.find(({ name }) => name === inner);
		if (!handler) return html`<p class="empty">The service has no such handler.</p>`;
		const described = (way) => {
			const schema = handler[`${way}_json_schema`];
			return [handler[`${way}_description`], schema && html`<details>
				<summary>Schema</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`];
		};
		return html`<p dir="auto">${handler.documentation}</p>
			${facts({ Type: handler.ty, Input: described("input"), Output: described("output") })}
			<h2>Try it</h2>${handler.public && service.public
				? html`<${TryIt} key=${service.revision} ...${{ service, handler }} />`
				: html`<p class="soft">It is private: only handlers can call it.</p>`}`;
	}, toInvocations({ service: id, handler: inner }));
}

function TryIt({ service, handler: { name, input_json_schema: schema, input_description: takes } }) {
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
	return html`<form class="card" onSubmit=${submitting(run)}>
			${keyed && field("key", "Key")}
			${takes === "none" ? html`<p class="soft">It takes no input.</p>` : fields ? fields.map(fieldOf)
				: input.field("body", `Input, as ${json ? "JSON" : takes}`, { as: Code, json })}
			<details><summary>Delay, idempotency key</summary>
				${field("delay", "Start later, by (such as 10s, 2 hours)")}
				${field("once", "Idempotency key: nothing is started twice with it")}</details>
			${fault(failure)}
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
