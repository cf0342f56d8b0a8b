// @ts-check
/** What an invocation is, how it is, why, and where it comes from. */
import { literal } from "../logic/filters.js";
import { why } from "../logic/status.js";
import { answerTo } from "../logic/waits.js";
import { clockTime, duration, html, link, millis, query, relative, request, useOnce, useSettings } from "./kit.js";
import { Facts } from "./long-table.js";
import { Operations } from "./operation.js";
import { StatusBadge } from "./status-badge.js";
import { Copied, Copy } from "./value.js";

export const invocationLink = (id = "") =>
  link(["invocations", id], `${id.slice(0, 14)}…`, {}, { class: "mono" });

/** @param {Props} props */
export function Head({ story: { row, waits, steps }, now }) {
  const { data: holder } = useOnce(async (signal) => {
    if (row.status !== "pending" || row.target_service_key === undefined) return null;
    const [service, key] = [row.target_service_name, row.target_service_key].map(literal);
    return (await query(`SELECT invocation_id AS id FROM sys_keyed_service_status
      WHERE service_name = ${service} AND service_key = ${key}`, signal))[0]?.id;
  }, [row.status, row.modified_at]);
  const failure = (row.completed_at ? row.completion_failure : row.last_failure) ?? "";
  const linked = (/** @type {string} */ part) => (part.startsWith("inv_1") ? invocationLink(part) : part);
  // Somebody who paused it knows more than its last failure.
  const stop = row.status === "paused" && steps.findLast(({ code }) => code === "pause" || code === "resume");
  const text = stop && stop.code === "pause"
    ? `paused by ${stop.who || "an operator"}${stop.reason && `: ${stop.reason}`}` : !waits.length && why(row, now);
  return html`<p class="crumbs soft">${link(["invocations"], "Invocations")} / <bdi>${row.target_service_name}</bdi>
      ${" / "}<bdi>${row.target_handler_name}</bdi></p>
    <div class="head"><h1><bdi>${row.target}</bdi></h1><${StatusBadge} row=${row} /><span class="grow"></span>
      <${Operations} row=${row} /></div>
    <div class="why">
      ${row.cancelling && html`<p>Cancelling: ${row.cancelling.split(/(inv_1\w+)/).map(linked)}</p>`}
      ${text && html`<p dir="auto">${text}</p>`}
      ${holder && html`<p>The key is held by ${invocationLink(holder)}.</p>`}
      ${waits.length > 0 && html`<p>${waits[0].told ? "Waits for" : "Not through yet:"} ${waits.map((wait, at) =>
        html`${at > 0 && " or "}<${Waiting} wait=${wait} answer=${answerTo(row, wait)} now=${now} />`)}</p>`}
      ${/\n|^.{160}/.test(failure) && html`<details><summary>Traceback</summary>
        <pre tabindex="0" class="value">${failure}</pre></details>`}
    </div>`;
}

/** @param {Props} props */
function Waiting({ wait: { id, step, since, text, child, until }, answer, now }) {
  const { zone } = useSettings();
  if (until) return html`a timer until ${clockTime(until, zone, now)} (in ${duration(Math.max(0, until - now))})`;
  return html`${id ? "an awakeable" : html`${step && `step ${step.index} `}<code dir="auto">${text}</code>`}
    ${child && html` ${invocationLink(child)}`}${since && ` for ${duration(Math.max(0, now - since))}`}
    ${id && html`: <${Copied} text=${id} kind="awakeable" />`}
    ${answer && html` ${link(["waits"], "answer", answer)}`}`;
}

/** @param {Props} props */
export function About({ story: { row, steps, happenings }, now }) {
  const { zone } = useSettings();
  const restarts = happenings.filter((one) => one.event_json.includes("new_invocation_id")).length;
  const tries = steps.reduce((sum, one) => sum + one.tries.length, 0);
  const failures = Math.max(tries, row.status === "backing-off" ? row.retry_count : 0);
  const deployment = row.pinned_deployment_id ?? row.last_attempt_deployment_id;
  const { data: code } = useOnce(async () => deployment && request("GET", `/deployments/${deployment}`), [deployment]);
  const uri = code?.uri ?? code?.arn ?? deployment;
  const { data: later } = useOnce((signal) => query(`SELECT id FROM sys_invocation
    WHERE restarted_from = ${literal(row.id)} ORDER BY created_at LIMIT 20`, signal), [restarts]);
  const service = code?.services.find((/** @type {any} */ one) => one.name === row.target_service_name);
  const created = Date.parse(row.created_at);
  const end = millis(row.completed_at);
  const copied = (text = "") => text && html`<${Copied} text=${text} />`;
  const beside = (other = "", a = other, b = other) =>
    html`<span class="nowrap">${invocationLink(other)} · ${link(["compare"], "compare", { a, b })}</span> `;
  const kept = (text = "PT0S") => {
    const ms = parseFloat(text.slice(2)) * 1000;
    return end ? `until ${clockTime(end + ms, zone, now)}` : duration(ms);
  };
  return html`<${Facts} kind="wide" facts=${{
    Invocation: copied(row.id),
    Created: `${clockTime(created, zone, now)} · ${relative(created, now)}`,
    Took: end && duration(end - created),
    Key: row.target_service_key && html`
      ${link(["objects", row.target_service_name, row.target_service_key], html`<bdi>${row.target_service_key}</bdi>`)}
      <${Copy} text=${row.target_service_key} />`,
    "Idempotency key": copied(row.idempotency_key),
    "Called by": row.invoked_by_id && html`${invocationLink(row.invoked_by_id)} <bdi>${row.invoked_by_target}</bdi>`,
    Deployment: deployment && html`${link(["deployments"], uri, { id: deployment }, { class: "mono" })}
      ${service && ` · revision ${service.revision}`}`,
    SDK: row.last_attempt_server ?? code?.sdk_version,
    "Failed tries": failures > 0 && String(failures),
    "Restarted from": row.restarted_from && beside(row.restarted_from, row.restarted_from, row.id),
    "Replaced by": later?.[0] && later.map(({ id }) => beside(id, row.id)),
    Kept: (end || row.journal_retention)
      && `result ${kept(row.completion_retention)}, journal ${kept(row.journal_retention)}`,
    Trace: copied(row.trace_id),
    Beside: link(["compare"], "compare with another", { a: row.id }),
  }} />`;
}
