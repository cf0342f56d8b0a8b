// @ts-check
/** What needs somebody, how much there is and how it goes. Every number leads to the list of what it counts. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { follow } from "../api/events.js";
import { query } from "../api/http.js";
import { lookCounts, useAsked } from "../api/rows.js";
import { serverNow, setServerTime } from "../components/clock.js";
import { StatusBar } from "../components/list-filters.js";
import { Link, address, go } from "../components/router.js";
import { toSearch } from "../logic/filters.js";
import { SLOTS, SLOT_MINUTES, USUAL_SQL, attention, byService, countSql, filter, slots, stuckFilters, throughputSql } from "../logic/overview.js";
import { LOOKS, OPEN, firstLine } from "../logic/status.js";
import { duration } from "../logic/time.js";

/** @typedef {import("../logic/filters.js").Filters} Filters */

const EVERY_MS = 2000;
const SELDOM_MS = 15000;
const CLOSED = ["failed", "cancelled", "killed"];

/** @param {Filters} filters */
function to(filters) {
  return address(["invocations"], toSearch(filters));
}

export function Overview() {
  const registry = useRegistry();
  const [counts, setCounts] = useState(/** @type {Record<string, number> | null} */ (null));
  const [services, setServices] = useState(/** @type {ReturnType<typeof byService>} */ ([]));
  useAsked(async (signal) => {
    setCounts(await lookCounts("TRUE", signal));
    setServices(byService(/** @type {any} */ (await query("SELECT target_service_name AS service, status, completion_result AS result, count(*) AS n FROM sys_invocation GROUP BY 1, 2, 3", signal))));
  }, EVERY_MS, []);
  const none = registry && registry.services.length === 0;
  return html`<div class="head"><h1>Overview</h1></div>
    ${none && html`<p class="empty">No service is registered. Start one and tell the server of it: <code>perdure deployments register http://localhost:9080</code></p>`}
    <${Attention} />
    <h2>Invocations</h2>
    <${StatusBar} counts=${counts} chosen=${[]} onToggle=${(/** @type {string} */ name) => go(to(filter({ status: [name] })))} />
    <${Throughput} />
    ${services.length > 0 && html`<h2>Services</h2><div class="scroll"><table><thead><tr><th scope="col">Service</th><th scope="col" class="right">All</th>
      ${OPEN.map((name) => html`<th key=${name} scope="col" class="right"><span aria-hidden="true">${LOOKS[name].sign}</span> ${LOOKS[name].word}</th>`)}
      <th scope="col" class="right">✓ Succeeded</th><th scope="col" class="right">✕ Ended otherwise</th></tr></thead>
      <tbody>${services.slice(0, 100).map(({ service, total, by }) => html`<tr key=${service} data-service=${service}><th scope="row"><bdi>${service}</bdi></th>
        <td class="right"><${Number} n=${total} filters=${filter({ service: [service] })} /></td>
        ${[...OPEN, "succeeded"].map((name) => html`<td key=${name} class="right"><${Number} n=${by[name]} filters=${filter({ service: [service], status: [name] })} /></td>`)}
        <td class="right"><${Number} n=${by.ended} filters=${filter({ service: [service], status: CLOSED })} /></td></tr>`)}</tbody></table></div>`}
    <${Deployments} registry=${registry} />`;
}

/** @param {{n?: number, filters: Filters}} props */
function Number({ n, filters }) {
  return n ? html`<${Link} to=${to(filters)}>${n}<//>` : html`<span class="soft">–</span>`;
}

function Attention() {
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [stuck, setStuck] = useState(/** @type {any[]} */ ([]));
  useAsked(async (signal) => {
    const all = [];
    for (const one of attention(serverNow())) all.push({ ...one, n: (await query(countSql(one.filters), signal))[0].n });
    setFound(all);
  }, EVERY_MS, []);
  useAsked(async (signal) => {
    const usual = /** @type {any} */ (await query(USUAL_SQL, signal));
    const all = [];
    for (const one of stuckFilters(usual, serverNow())) all.push({ ...one, n: (await query(countSql(one.filters), signal))[0].n });
    setStuck(all.filter((one) => one.n > 0));
  }, SELDOM_MS, []);
  return html`<section aria-label="Needs you"><div class="numbers">
    ${(found ?? []).map(({ name, word, sign, tone, text, filters, n }) => html`<${Link} key=${name} data-name=${name} class=${n ? `tone-${tone}` : "quiet"} to=${to(filters)}>
      <b>${n}</b><span aria-hidden="true">${sign} </span>${word}<br /><span class="soft">${text}</span><//>`)}
    ${stuck.map(({ service, seconds, filters, n }) => html`<${Link} key=${service} data-name="stuck" class="tone-hold" to=${to(filters)}>
      <b>${n}</b><bdi>${service}</bdi> open for long<br /><span class="soft">longer than ${duration(seconds * 1000)}, as 95 of 100 take</span><//>`)}
  </div>${found?.every((one) => !one.n) && !stuck.length && html`<p class="soft">✓ Nothing needs you.</p>`}</section>`;
}

function Throughput() {
  const [bars, setBars] = useState(/** @type {ReturnType<typeof slots> | null} */ (null));
  useAsked(async (signal) => {
    const now = serverNow();
    setBars(slots(/** @type {any} */ (await query(throughputSql(now), signal)), now));
  }, EVERY_MS * 2, []);
  if (!bars) return null;
  const top = Math.max(1, ...bars.map(({ ok, fail }) => ok + fail));
  const ok = bars.reduce((sum, bar) => sum + bar.ok, 0);
  const fail = bars.reduce((sum, bar) => sum + bar.fail, 0);
  const ended = new Date(bars[0].begin).toISOString();
  return html`<h2>Completed in the last hour: <${Link} to=${to(filter({ status: ["succeeded"], ended }))}>${ok} succeeded<//>, <${Link} to=${to(filter({ status: CLOSED, ended }))}>${fail} did not<//></h2>
    <svg class="plot" viewBox=${`0 0 ${SLOTS * 10} 60`} preserveAspectRatio="none" role="img" aria-label=${`Completed in ${SLOT_MINUTES} minutes each, ${top} at the most`}>
      ${bars.map((bar, index) => {
        const [good, bad] = [bar.ok, bar.fail].map((n) => (n * 56) / top);
        return html`<g key=${bar.begin}><title>${`${duration(serverNow() - bar.begin)} ago: ${bar.ok} succeeded, ${bar.fail} did not`}</title>
          <rect class="ok" x=${index * 10 + 1} width="8" y=${58 - good} height=${good} /><rect class="fail" x=${index * 10 + 1} width="8" y=${58 - good - bad} height=${bad} /></g>`;
      })}
      <line class="axis" x1="0" x2=${SLOTS * 10} y1="59" y2="59" /></svg>`;
}

const HEALTH_SQL = `SELECT last_attempt_deployment_id AS id, count(*) AS n, max(last_failure) AS failure FROM sys_invocation WHERE status = 'backing-off' GROUP BY 1`;
const OPEN_SQL = `SELECT pinned_deployment_id AS id, count(*) AS n FROM sys_invocation WHERE status <> 'completed' GROUP BY 1`;

/** @param {{registry: {deployments: any[], services: any[]} | null}} props */
function Deployments({ registry }) {
  const [failing, setFailing] = useState(/** @type {any[]} */ ([]));
  const [open, setOpen] = useState(/** @type {any[]} */ ([]));
  useAsked(async (signal) => {
    setFailing(await query(HEALTH_SQL, signal));
    setOpen(await query(OPEN_SQL, signal));
  }, EVERY_MS, []);
  if (!registry?.deployments.length) return null;
  return html`<h2>Deployments</h2><div class="scroll"><table><thead><tr><th scope="col">Deployment</th><th scope="col">Endpoint</th><th scope="col" class="right">Open</th>
      <th scope="col" class="right">Retrying</th><th scope="col">Last failure</th></tr></thead>
    <tbody>${registry.deployments.slice(-50).reverse().map(({ id, endpoint }) => {
      const bad = failing.find((one) => one.id === id);
      return html`<tr key=${id}><td class="mono"><${Link} to=${address(["deployments", id])}>${id}<//></td><td><bdi>${endpoint}</bdi></td>
        <td class="right"><${Number} n=${open.find((one) => one.id === id)?.n} filters=${filter({ deployment: id, status: OPEN })} /></td>
        <td class="right"><${Number} n=${bad?.n} filters=${filter({ deployment: id, status: ["backing-off"] })} /></td>
        <td>${bad ? html`<span class="invalid"><bdi>${firstLine(bad.failure).slice(0, 200)}</bdi></span>` : html`<span class="soft">✓ none</span>`}</td></tr>`;
    })}</tbody></table></div>`;
}

/** @returns {{deployments: any[], services: any[]} | null} */
function useRegistry() {
  const [registry, set] = useState(/** @type {{deployments: any[], services: any[]} | null} */ (null));
  useEffect(() => follow(["registry"], {
    onMessages: (messages) => {
      for (const { event, data } of messages) {
        if (event === "snapshot") setServerTime(data.now);
        if (event === "snapshot" || event === "registry") set(data);
      }
    },
  }), []);
  return registry;
}
