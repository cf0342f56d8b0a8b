// @ts-check
/** What can be called, and with which settings. */
import { html, useState } from "../vendor/preact-htm.js";
import { useAnswer } from "../api/answer.js";
import { request } from "../api/http.js";
import { Change, Missing, Table, Text, Tick, Warnings } from "../components/change.js";
import { Link, address } from "../components/router.js";

const DURATIONS = [
  ["idempotency_retention", "Results are kept for callers with an idempotency key"], ["workflow_completion_retention", "Completed workflows are kept"],
  ["journal_retention", "Journals are kept"], ["inactivity_timeout", "Suspended after being idle for"], ["abort_timeout", "Aborted when it does not suspend within"],
];

export function Services() {
  const answer = useAnswer((signal) => request("GET", "/services", { signal }), []);
  const services = answer.data?.services;
  return html`<div class="head"><h1>Services</h1></div><${Missing} answer=${answer} />
    ${services?.length === 0 && html`<p class="empty">There is no service. Register a <${Link} to=${address(["deployments"])}>deployment<//>.</p>`}
    ${services?.length > 0 && html`<${Table} label="Services" head=${["Service", "Type", "Handlers", "Revision", "Deployment", "Invocations"]}>
      ${services.map((/** @type {any} */ one) => html`<tr key=${one.name}><td><${Link} to=${address(["services", one.name])}><bdi>${one.name}</bdi><//>${one.public ? "" : " (private)"}</td>
        <td>${one.ty}</td><td>${one.handlers.map((/** @type {any} */ handler) => handler.name).join(", ")}</td><td>${one.revision}</td>
        <td class="mono"><${Link} to=${address(["deployments"], { id: one.deployment_id })}>${one.deployment_id}<//></td>
        <td><${Link} to=${address(["invocations"], { service: one.name })} aria-label=${`list of invocations of ${one.name}`}>list<//></td></tr>`)}<//>`}`;
}

/** @param {{name: string}} props */
export function Service({ name }) {
  const answer = useAnswer((signal) => request("GET", `/services/${encodeURIComponent(name)}`, { signal }), [name]);
  const [edits, setEdits] = useState(false);
  const service = answer.data;
  return html`<div class="head"><h1><bdi>${name}</bdi></h1><span class="grow"></span>
      <${Link} class="button" to=${address(["invocations"], { service: name })}>Invocations<//>
      ${service && service.ty !== "Service" && html`<${Link} class="button" to=${address(["objects", name])}>Keys<//>`}</div>
    <${Missing} answer=${answer} />
    ${service && html`${service.documentation && html`<p dir="auto">${service.documentation}</p>`}<${Warnings} info=${service.info} />
      <h2>Handlers</h2>${service.handlers.map((/** @type {any} */ one) => html`<${Handler} key=${one.name} service=${name} handler=${one} />`)}
      <div class="head"><h2>Settings</h2><button onClick=${() => setEdits(true)}>Change…</button></div>
      <dl class="facts"><dt>Type</dt><dd>${service.ty}, revision ${service.revision}</dd>
        <dt>Deployment</dt><dd class="mono"><${Link} to=${address(["deployments"], { id: service.deployment_id })}>${service.deployment_id}<//></dd>
        <dt>Can be called from outside</dt><dd>${service.public ? "yes" : "no"}</dd>
        ${DURATIONS.filter(([key]) => service[key]).map(([key, word]) => html`<dt key=${`t${key}`}>${word}</dt><dd key=${key}>${service[key]}</dd>`)}
        <dt>Retries</dt><dd>first after ${service.retry_policy.initial_interval}, then × ${service.retry_policy.exponentiation_factor} up to ${service.retry_policy.max_interval}; ${service.retry_policy.max_attempts ? `${service.retry_policy.max_attempts} attempts, then ${service.retry_policy.on_max_attempts.toLowerCase()}` : "no end"}</dd></dl>
      ${edits && html`<${Settings} service=${service} onClose=${() => (setEdits(false), answer.again())} />`}`}`;
}

/** @param {{service: string, handler: any}} props */
function Handler({ service, handler }) {
  const { name, ty, documentation } = handler;
  const schemas = [["Input", handler.input_description, handler.input_json_schema], ["Output", handler.output_description, handler.output_json_schema]];
  return html`<details class="card"><summary><b><bdi>${name}</bdi></b> <span class="soft">${ty ? `${ty} · ` : ""}${handler.input_description} → ${handler.output_description}${handler.public ? "" : " · private"}</span></summary>
    ${documentation && html`<p dir="auto">${documentation}</p>`}
    ${schemas.map(([word, told, schema]) => html`<p key=${word}>${word}: ${told}</p>${schema !== undefined && html`<pre>${JSON.stringify(schema, null, 2)}</pre>`}`)}
    <p><${Link} to=${address(["invocations"], { service, handler: name })}>Invocations of ${name}<//></p></details>`;
}

/** @param {{service: any, onClose: () => void}} props */
function Settings({ service, onClose }) {
  const [now, setNow] = useState(service);
  const [before] = useState(service);
  const keys = ["public", ...DURATIONS.map(([key]) => key)].filter((key) => now[key] !== before[key]);
  const act = async () => {
    await request("PATCH", `/services/${encodeURIComponent(service.name)}`, { body: Object.fromEntries(keys.map((key) => [key, now[key]])) });
    return `Changed ${service.name}`;
  };
  return html`<${Change} title=${`Settings of ${service.name}`} word="Change" act=${act} onClose=${onClose} disabled=${!keys.length}
      effect="It holds until the service is registered again: then what its code says counts.">
    <${Tick} label="Can be called from outside" checked=${now.public} onValue=${(/** @type {boolean} */ value) => setNow({ ...now, public: value })} />
    ${DURATIONS.filter(([key]) => before[key] !== undefined).map(([key, word]) => html`<${Text} key=${key} label=${`${word} (such as 90s, 2 hours, PT30M)`} value=${now[key]}
      name=${key} onValue=${(/** @type {string} */ value) => setNow({ ...now, [key]: value })} />`)}<//>`;
}
