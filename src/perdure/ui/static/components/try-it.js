// @ts-check
/** Starts an invocation of a handler with what was filled in, and shows what becomes of it. */
import { useNow } from "./clock.js";
import { Choice, Code, at, html, idLink, request, useAct, useForm, useMemo, useState } from "./kit.js";
import { useLives } from "./lives.js";
import { StatusBadge } from "./status-badge.js";
import { ValueView } from "./value.js";
import { faultOf } from "../logic/json.js";
import { exampleOf, fieldsOf, jsonOf } from "../logic/schema.js";
import { why } from "../logic/status.js";

/** @param {{service: Service, handler: Handler}} props */
export function TryIt({ service, handler }) {
  const { input_json_schema: schema, input_description: takes } = handler;
  const json = takes.startsWith("JSON ") || takes === "application/json";
  const fields = useMemo(() => (json && schema ? fieldsOf(schema) : null), []);
  const input = useForm(fields ? Object.fromEntries(fields.map((one) => [one.name, one.initial]))
    : { body: json && schema ? JSON.stringify(exampleOf(schema), null, 2) : "" });
  const call = useForm({ key: "", delay: "", once: "" });
  const [sent, setSent] = useState("");
  const { key, delay, once } = call.values;
  const keyed = service.ty !== "Service";
  const body = takes === "none" ? "" : fields ? jsonOf(fields, input.values) : input.values.body;

  const { busy, failure, run } = useAct(async () => {
    const search = new URLSearchParams({ ...(keyed && { key }), ...(delay && { delay }) });
    const headers = { ...(once && { "idempotency-key": once }), ...(!json && { "content-type": takes.replaceAll("*", "") }) };
    const path = at("services", service.name, "handlers", handler.name, "send");
    const { invocationId } = await request("POST", `${path}?${search}`, { json: body || undefined, headers });
    setSent(invocationId);
  });
  const submit = (/** @type {Event} */ event) => (event.preventDefault(), run());
  return html`<form class="card" onSubmit=${submit}>
      ${keyed && call.field("key", "Key")}
      ${takes === "none" ? html`<p class="soft">It takes no input.</p>`
        : fields ? fields.map(({ name, label, kind, options }) => input.field(name, label,
          kind === "options" ? { as: Choice, of: Object.fromEntries(options.map((one) => [one, one])) } : kind === "number" ? { type: "number", step: "any" } : {}))
        : input.field("body", json ? "Input, as JSON" : `Input, as ${takes}`, { as: Code, json })}
      <details><summary>Delay, idempotency key</summary>${call.field("delay", "Start later, by (such as 10s, 2 hours)")}
        ${call.field("once", "Idempotency key: what was sent with it before is not started again")}</details>
      ${failure && html`<p class="invalid" role="alert">${failure}</p>`}<p><button class="primary" disabled=${busy || (json && body && faultOf(body))}>Send</button></p></form>
    ${sent && html`<${Outcome} key=${sent} id=${sent} />`}`;
}

/** @param {{id: string}} props */
function Outcome({ id }) {
  const now = useNow();
  const life = useLives([id]).get(id);
  const row = life?.row;
  const output = life?.journal.find((entry) => entry.entry_type === "Command: Output");
  return html`<section class="card" aria-label="Outcome"><p>${idLink(id)} ${row && html`<${StatusBadge} row=${row} />`}</p>
    ${row && html`<p dir="auto">${why(row, now)}</p>`}
    ${row?.completion_result === "success" && output && html`<${ValueView} id=${id}
      outcome=${{ kind: "success", bytes: null, index: output.index, type: output.entry_type, size: output.raw_length }} />`}</section>`;
}
