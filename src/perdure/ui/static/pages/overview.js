// @ts-check
/** What needs somebody, how much there is and how it goes. Every number leads to the list of what it counts. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { countOf, lookCounts, useAnswer } from "../api/answer.js";
import { follow } from "../api/events.js";
import { query } from "../api/http.js";
import { Table } from "../components/change.js";
import { serverNow, setServerTime } from "../components/clock.js";
import { StatusBar } from "../components/list-filters.js";
import { Link, address, go, idLink } from "../components/router.js";
import { filter, toSql } from "../logic/filters.js";
import {
  SERVICES_SQL, SLOTS, SLOT_MINUTES, USUAL_SQL, attention, byService, slots, stuckFilters, throughputSql,
} from "../logic/overview.js";
import { FAILED, LOOKS, OPEN, firstLine } from "../logic/status.js";
import { duration } from "../logic/time.js";

const EVERY_MS = 2000;
const SELDOM_MS = 15000;
/** Of the table of services. */
const COLUMNS = [
  { name: "all", word: "All", status: [] },
  ...[...OPEN, "succeeded"].map((name) => ({ name, word: `${LOOKS[name].sign} ${LOOKS[name].word}`, status: [name] })),
  { name: "ended", word: "✕ Ended otherwise", status: FAILED },
];

/** @type {(filters: Filters, text: any, rest?: object) => any} */
const to = (filters, text, rest) => html`<${Link} to=${address(["invocations"], filters)} ...${rest}>${text}<//>`;

/** @param {{n?: number, filters: any}} props */
const Number = ({ n, filters }) => html`<td>${n ? to(filter(filters), n) : html`<span class="soft">–</span>`}</td>`;

export function Overview() {
  const registry = useRegistry();
  const { data: counts } = useAnswer((signal) => lookCounts("TRUE", signal), [], EVERY_MS);
  const { data: services } = useAnswer(async (signal) => byService(await query(SERVICES_SQL, signal)), [], EVERY_MS);
  return html`<div class="head"><h1>Overview</h1></div>
    ${registry?.services.length === 0 && html`<p class="empty">No service is registered. Start one and tell the server of it:
      <code>perdure deployments register http://localhost:9080</code></p>`}
    <${Attention} />
    <h2>Invocations</h2>
    <${StatusBar} counts=${counts} chosen=${[]} onToggle=${(status) => go(address(["invocations"], { status }))} />
    <${Throughput} />
    ${services?.[0] && html`<h2>Services</h2><div class="figures">
      <${Table} label="Services" head=${["Service", ...COLUMNS.map(({ word }) => word)]}>
        ${services.slice(0, 100).map(([service, by]) => html`<tr key=${service} data-service=${service}>
          <th scope="row"><bdi>${service}</bdi></th>
          ${COLUMNS.map(({ name, status }) => html`<${Number} key=${name} n=${by[name]} filters=${{ service, status }} />`)}
        </tr>`)}<//></div>`}
    ${registry?.deployments[0] && html`<${Deployments} deployments=${registry.deployments} />`}`;
}

/** @type {(figures: Figure[], signal: AbortSignal) => Promise<(Figure & {n: number})[]>} */
const withNumbers = async (figures, signal) => {
  const all = [];
  for (const one of figures) all.push({ ...one, n: await countOf(toSql(one.filters), signal) });
  return all;
};

function Attention() {
  const { data: usual } = useAnswer((signal) => query(USUAL_SQL, signal), [], SELDOM_MS);
  const { data: known } = useAnswer((signal) => withNumbers(attention(serverNow()), signal), [], EVERY_MS);
  const { data: stuck } = useAnswer(
    (signal) => withNumbers(stuckFilters(usual ?? [], serverNow()), signal), [usual], SELDOM_MS);
  const figures = [...(known ?? []), ...(stuck ?? []).filter(({ n }) => n)];
  return html`<section aria-label="Needs you"><div class="numbers">
    ${figures.map(({ name, service, sign, word, tone, text, filters, n }) => to(filters, html`<b>${n}</b>
      <span aria-hidden="true">${sign} </span><bdi>${service}</bdi> ${word}<br /><span class="soft">${text}</span>`,
      { key: name + service, "data-name": name, class: n ? `tone-${tone}` : "quiet" }))}
    </div>${known && figures.every(({ n }) => !n) && html`<p class="soft">✓ Nothing needs you.</p>`}</section>`;
}

function Throughput() {
  const { data: bars } = useAnswer(async (signal) => {
    const now = serverNow();
    return slots(await query(throughputSql(now), signal), now);
  }, [], EVERY_MS * 2);
  if (!bars) return null;
  const sum = (/** @type {"ok" | "fail"} */ name) => bars.reduce((sum, bar) => sum + bar[name], 0);
  const top = Math.max(1, ...bars.map(({ ok, fail }) => ok + fail));
  const ended = new Date(bars[0].begin).toISOString();
  return html`<h2>Completed in the last hour: ${to(filter({ status: "succeeded", ended }), `${sum("ok")} succeeded`)},
      ${" "}${to(filter({ status: FAILED, ended }), `${sum("fail")} did not`)}</h2>
    <svg class="plot" viewBox="0 0 ${SLOTS} ${top}" preserveAspectRatio="none" role="img"
      aria-label="Completed in ${SLOT_MINUTES} minutes each, ${top} at the most">
      ${bars.map(({ begin, ok, fail }, x) => html`<g key=${begin}>
        <title>${duration(serverNow() - begin)} ago: ${ok} succeeded, ${fail} did not</title>
        <rect class="ok" x=${x + 0.1} width="0.8" y=${top - ok} height=${ok} />
        <rect class="fail" x=${x + 0.1} width="0.8" y=${top - ok - fail} height=${fail} /></g>`)}</svg>`;
}

const FAILING_SQL = `SELECT last_attempt_deployment_id AS id, count(*) AS n, max(last_failure) AS failure FROM sys_invocation
  WHERE status = 'backing-off' GROUP BY 1`;
const OPEN_SQL = `SELECT pinned_deployment_id AS id, count(*) AS n FROM sys_invocation WHERE status <> 'completed' GROUP BY 1`;

/** @param {{deployments: any[]}} props */
function Deployments({ deployments }) {
  const { data: open } = useAnswer((signal) => query(OPEN_SQL, signal), [], EVERY_MS);
  const { data: failing } = useAnswer((signal) => query(FAILING_SQL, signal), [], EVERY_MS);
  return html`<h2>Deployments</h2>
    <${Table} label="Deployments" head=${["Deployment", "Endpoint", "Open", "Retrying", "Last failure"]}>
    ${deployments.slice(-50).reverse().map(({ id: deployment, endpoint }) => {
      const [all, bad] = [open, failing].map((rows) => rows?.find(({ id }) => id === deployment));
      return html`<tr key=${deployment}><td>${idLink(deployment)}</td><td><bdi>${endpoint}</bdi></td>
        <${Number} n=${all?.n} filters=${{ deployment, status: OPEN }} />
        <${Number} n=${bad?.n} filters=${{ deployment, status: "backing-off" }} />
        <td>${bad ? html`<bdi class="invalid">${firstLine(bad.failure).slice(0, 200)}</bdi>` : "✓ none"}</td></tr>`;
    })}<//>`;
}

function useRegistry() {
  const [registry, set] = useState(null);
  useEffect(() => follow(["registry"], {
    onMessages: (messages) => messages.forEach(({ data }) => {
      if (data.now) setServerTime(data.now);
      if (data.deployments) set(data);
    }),
  }), []);
  return registry;
}
