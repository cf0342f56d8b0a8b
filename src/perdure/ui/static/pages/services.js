// @ts-check
/** What can be called, and with which settings. */
import {
  Change, at, facts, html, idLink, link, page, request, table, useForm, useGet, useState, warnings,
} from "../components/kit.js";
import { TryIt } from "../components/try-it.js";

const DURATIONS = Object.entries({
  idempotency_retention: "Results are kept for callers with an idempotency key",
  workflow_completion_retention: "Completed workflows are kept",
  journal_retention: "Journals are kept",
  inactivity_timeout: "Suspended after being idle for",
  abort_timeout: "Aborted when it does not suspend within",
});

const hidden = (/** @type {Service | Handler} */ one) => (one.public ? "" : " (private)");

export const Services = () => listed("Services", "services", "There is no service. Register a deployment.");
export const Objects = () => listed("Objects and workflows", "objects", "No service has keys.");

/** Services by name; place: where these lead. */
function listed(title = "", place = "", empty = "") {
  /** @type {Asked<{services: Service[]}>} */
  const asked = useGet("/services");
  const wanted = (/** @type {Service} */ one) => place === "services" || one.ty !== "Service";
  return page(title, asked, ({ services }) => table(title, services.filter(wanted), "name", {
    Service: (one) => [link([place, one.name]), hidden(one)],
    Type: (one) => one.ty,
    Handlers: (one) => one.handlers.map(({ name }) => [link(["services", one.name, name]), " "]),
    Revision: (one) => one.revision,
    Deployment: (one) => idLink(one.deployment_id),
    Invocations: ({ name: service }) =>
      link(["invocations"], "list", { service }, { "aria-label": `list of invocations of ${service}` }),
  }, empty));
}

export function Service({ id = "" }) {
  /** @type {Asked<Service>} */
  const asked = useGet(at("services", id));
  const [edits, setEdits] = useState(false);
  const keyed = asked.data && asked.data.ty !== "Service";
  return page(id, asked, (service) => html`
    <p dir="auto">${service.documentation}</p>${warnings(service.info)}
    <h2>Handlers</h2>${table("Handlers", service.handlers, "name", {
      Handler: (one) => [link(["services", id, one.name]), hidden(one)],
      Type: (one) => one.ty,
      "Input → output": (one) => `${one.input_description} → ${one.output_description}`,
      About: (one) => html`<bdi>${one.documentation}</bdi>`,
    })}
    <div class="head"><h2>Settings</h2><button onClick=${() => setEdits(true)}>Change…</button></div>
    ${settingsOf(service)}
    ${edits && html`<${Settings} service=${service} onClose=${() => (setEdits(false), asked.again())} />`}`,
  [link(["invocations"], "Invocations", { service: id }, { class: "button" }),
    keyed && link(["objects", id], "Keys", {}, { class: "button" })]);
}

/** @param {Service} service */
function settingsOf(service) {
  const { initial_interval, exponentiation_factor, max_interval, max_attempts, on_max_attempts } = service.retry_policy;
  const end = max_attempts ? `${max_attempts} attempts, then ${on_max_attempts.toLowerCase()}` : "no end";
  return facts({
    Type: `${service.ty}, revision ${service.revision}`,
    Deployment: idLink(service.deployment_id),
    "Can be called from outside": service.public ? "yes" : "no",
    ...Object.fromEntries(DURATIONS.map(([key, word]) => [word, service[key]])),
    Retries: `first after ${initial_interval}, then × ${exponentiation_factor} up to ${max_interval}; ${end}`,
  });
}

/** @param {{service: Service, onClose: () => void}} props */
function Settings({ service, onClose }) {
  const [before] = useState(service);
  const { values, field } = useForm(before);
  const body = Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== before[key]));
  const act = async () => {
    await request("PATCH", at("services", service.name), { body });
    return `Changed ${service.name}`;
  };
  return html`<${Change} title="Settings of ${service.name}" word="Change" ...${{ act, onClose }}
      disabled=${!Object.keys(body).length}
      effect="It holds until the service is registered again: then what its code says counts.">
    ${field("public", "Can be called from outside")}
    ${DURATIONS.map(([key, word]) => before[key] && field(key, `${word} (such as 90s, 2 hours, PT30M)`))}<//>`;
}

/** id: the service. inner: the handler. */
export function HandlerPage({ id = "", inner = "" }) {
  /** @type {Asked<Service>} */
  const asked = useGet(at("services", id));
  return page([link(["services", id]), " / ", inner], asked, (service) => {
    const handler = service.handlers.find(({ name }) => name === inner);
    if (!handler) return html`<p class="empty">The service has no such handler.</p>`;
    const described = (what = "", /** @type {Schema | undefined} */ schema) => [what, schema && html`<details>
      <summary>Schema</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`];
    return html`<p dir="auto">${handler.documentation}</p>${facts({
        Type: handler.ty,
        Input: described(handler.input_description, handler.input_json_schema),
        Output: described(handler.output_description, handler.output_json_schema),
      })}
      <h2>Try it</h2>${handler.public && service.public
        ? html`<${TryIt} key=${service.revision} service=${service} handler=${handler} />`
        : html`<p class="soft">It is private: only handlers can call it.</p>`}`;
  }, link(["invocations"], "Invocations", { service: id, handler: inner }, { class: "button" }));
}
