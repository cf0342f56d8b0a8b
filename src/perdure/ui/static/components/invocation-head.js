// @ts-check
/** What an invocation is, how it is, why, and where it comes from. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { query, request } from "../api/http.js";
import { literal } from "../logic/filters.js";
import { why } from "../logic/status.js";
import { clockTime, duration, millis, relative } from "../logic/time.js";
import { Operations } from "./operation.js";
import { Link, address } from "./router.js";
import { useSettings } from "./settings.js";
import { StatusBadge } from "./status-badge.js";
import { Copy } from "./value.js";

/** @typedef {import("../logic/status.js").Row} Row */
/** @typedef {import("../logic/waits.js").Wait} Wait */

/** @param {{id: string}} props */
export function InvocationLink({ id }) {
  return html`<${Link} class="mono" to=${address(["invocations", id])}>${id.slice(0, 14)}…<//>`;
}

/** Asks once for each value of `inputs`; null until there is an answer. @template T @param {() => Promise<T>} ask @param {unknown[]} inputs @returns {T | null} */
function useAnswer(ask, inputs) {
  const [answer, setAnswer] = useState(/** @type {T | null} */ (null));
  useEffect(() => {
    let wanted = true;
    ask().then((got) => wanted && setAnswer(got), () => wanted && setAnswer(null));
    return () => void (wanted = false);
  }, inputs);
  return answer;
}

/** @param {{row: Row, waits: Wait[], now: number, stop?: import("../logic/journal.js").Step}} props stop: the operation that paused it */
export function Head({ row, waits, now, stop }) {
  return html`<p class="crumbs soft"><${Link} to=${address(["invocations"])}>Invocations<//> / <bdi>${row.target_service_name}</bdi> / <bdi>${row.target_handler_name}</bdi></p>
    <div class="head"><h1><bdi>${row.target}</bdi></h1><${StatusBadge} row=${row} /><span class="grow"></span><${Operations} row=${row} /></div>
    <${Why} row=${row} waits=${waits} now=${now} stop=${stop} />`;
}

/** @param {Parameters<typeof Head>[0]} props */
function Why({ row, waits, now, stop }) {
  const { zone } = useSettings();
  const holder = useAnswer(
    async () => (row.status === "pending" && row.target_service_key !== undefined
      ? (await query(`SELECT invocation_id FROM sys_keyed_service_status WHERE service_name = ${literal(row.target_service_name)} AND service_key = ${literal(row.target_service_key)}`))[0]?.invocation_id : null),
    [row.status, row.modified_at]);
  const failure = row.status === "completed" ? row.completion_failure : row.last_failure;
  const waited = /** @type {string[]} */ (row.cancelling?.match(/inv_1\w+/g) ?? []);
  const text = stop ? `paused by ${stop.who || "an operator"}${stop.reason && `: ${stop.reason}`}` : waits.length ? "" : why(row, now);
  return html`<div class="why">
    ${row.cancelling && html`<p class="tone-wait">Cancelling: waiting for ${waited.map((id) => html`<${InvocationLink} id=${id} />`)}${row.cancelling.replace(/^.*?inv_1\w+/, "")}</p>`}
    ${text && html`<p dir="auto">${text}</p>`}
    ${holder && html`<p>The key is held by <${InvocationLink} id=${holder} />.</p>`}
    ${waits.length > 0 && html`<p>${waits[0].told ? "Waits for" : "Not through yet:"} ${waits.map((wait, at) => html`${at > 0 && " or "}<${WaitText} wait=${wait} now=${now} zone=${zone} />`)}</p>`}
    ${failure && (failure.includes("\n") || failure.length > 160) && html`<details><summary>Traceback</summary><pre tabindex="0" class="value">${failure}</pre></details>`}
  </div>`;
}

/** @param {{wait: Wait, now: number, zone: "utc" | "local"}} props */
function WaitText({ wait, now, zone }) {
  const since = wait.since === null ? "" : ` for ${duration(Math.max(0, now - wait.since))}`;
  if (wait.kind === "awakeable") {
    return html`an awakeable${since}: <span class="mono awakeable">${wait.id}</span> <${Copy} text=${wait.id} />
      <${Link} to=${address(["waits"], { id: wait.id ?? "" })}>answer<//>`;
  }
  if (wait.until) return html`a timer until ${clockTime(wait.until, zone, now)} (in ${duration(Math.max(0, wait.until - now))})`;
  return html`step ${wait.step?.index ?? ""} <code dir="auto">${wait.text}</code>${wait.child && html` <${InvocationLink} id=${wait.child} />`}${since}`;
}

/** @param {{row: Row, now: number, restarts: number, failures: number}} props restarts: how often it was restarted, as far as is known */
export function Facts({ row, now, restarts, failures }) {
  const { zone } = useSettings();
  const deployment = row.pinned_deployment_id ?? row.last_attempt_deployment_id;
  const code = useAnswer(async () => (deployment ? request("GET", `/deployments/${encodeURIComponent(deployment)}`) : null), [deployment]);
  const later = useAnswer(() => query(`SELECT id FROM sys_invocation WHERE restarted_from = ${literal(row.id)} ORDER BY created_at LIMIT 20`), [row.id, restarts]);
  const revision = code?.services?.find((/** @type {any} */ one) => one.name === row.target_service_name)?.revision;
  const fact = /** @param {string} name @param {any} value */ (name, value) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const copied = /** @param {string | undefined} text */ (text) => text && html`<span class="mono" dir="auto">${text}</span> <${Copy} text=${text} />`;
  const end = millis(row.completed_at);
  return html`<dl class="facts wide">
    ${fact("Invocation", copied(row.id))}
    ${fact("Created", `${clockTime(millis(row.created_at), zone, now)} · ${relative(millis(row.created_at), now)}`)}
    ${fact("Took", end !== null && duration(end - (millis(row.created_at) ?? end)))}
    ${fact("Key", row.target_service_key !== undefined && html`<${Link} class="mono" to=${address(["objects", row.target_service_name, row.target_service_key])}><bdi>${row.target_service_key}</bdi><//> <${Copy} text=${row.target_service_key} />`)}${fact("Idempotency key", copied(row.idempotency_key))}
    ${fact("Called by", row.invoked_by_id && html`<${InvocationLink} id=${row.invoked_by_id} /> <bdi>${row.invoked_by_target ?? ""}</bdi>`)}
    ${fact("Deployment", deployment && html`<${Link} class="mono" to=${address(["deployments"], { id: deployment })}>${code?.uri ?? code?.arn ?? deployment}<//>${revision ? ` · revision ${revision}` : ""}`)}
    ${fact("SDK", row.last_attempt_server ?? code?.sdk_version)}
    ${fact("Failed tries", failures > 0 && String(failures))}
    ${fact("Restarted from", row.restarted_from && html`<${InvocationLink} id=${row.restarted_from} /> · <${Link} to=${address(["compare"], { a: row.restarted_from, b: row.id })}>compare<//>`)}
    ${fact("Replaced by", later && later.length > 0 && later.map((one) => html`<span class="nowrap" key=${one.id}><${InvocationLink} id=${one.id} /> · <${Link} to=${address(["compare"], { a: row.id, b: one.id })}>compare<//></span> `))}
    ${fact("Kept", end !== null ? keptUntil(row, end, zone, now) : row.journal_retention && `journal ${span(row.journal_retention)}, result ${span(row.completion_retention)}`)}
    ${fact("Trace", copied(row.trace_id))}
    ${fact("Beside", html`<${Link} to=${address(["compare"], { a: row.id })}>compare with another<//>`)}
  </dl>`;
}

/** @param {Row} row @param {number} end @param {"utc" | "local"} zone @param {number} now */
function keptUntil(row, end, zone, now) {
  const until = /** @param {string | undefined} text */ (text) => clockTime(end + seconds(text) * 1000, zone, now);
  return `result until ${until(row.completion_retention)}, journal until ${until(row.journal_retention)}`;
}

/** `PT86400S`, as the server writes durations. @param {string | undefined} text */
function seconds(text) {
  return Number(/^PT([\d.]+)S$/.exec(text ?? "")?.[1] ?? 0);
}

/** @param {string | undefined} text */
function span(text) {
  return duration(seconds(text) * 1000);
}

