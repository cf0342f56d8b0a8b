// @ts-check
import {
	Change, at, button, facts, html, idLink, link, page, request, table, toInvocations, useDialog, useForm, useGet,
	usePlace, warnings,
} from "../components/kit.js";
import { TryIt } from "../components/try-it.js";

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
