// @ts-check
/** Every number leads to the list of what it counts. */
import { follow } from "../api/events.js";
import { serverNow, setServerTime } from "../components/clock.js";
import {
  Link, address, countBy, countOf, go, html, idLink, lookCounts, query, table, useAnswer, useEffect, useState,
} from "../components/kit.js";
import { StatusBar } from "../components/list-filters.js";
import { filter, toSql } from "../logic/filters.js";
import {
  BY_SERVICE, BY_SLOT, SLOTS, SLOT_MINUTES, USUAL_SQL, attention, byService, slots, slotted, stuckFilters,
} from "../logic/overview.js";
import { FAILED, LOOKS, OPEN, firstLine } from "../logic/status.js";
import { duration } from "../logic/time.js";

const EVERY_MS = 2000;
const SELDOM_MS = 15000;

/** @type {LinkTo} */
const to = (filters, text, rest) => html`<${Link} to=${address(["invocations"], filters)} ...${rest}>${text}<//>`;

/** @type {LinkedNumber} */
const number = (n, values) => (n ? to(filter(values), n) : html`<span class="soft">–</span>`);

/** @type {TableColumns} */
const SERVICE_COLUMNS = {
  Service: ({ service }) => html`<bdi>${service}</bdi>`,
  All: ({ service, all }) => number(all, { service }),
  ...Object.fromEntries([...OPEN, "succeeded"].map((status) => [`${LOOKS[status].sign} ${LOOKS[status].word}`,
    ({ service, [status]: n }) => number(n, { service, status })])),
  "✕ Ended otherwise": ({ service, ended }) => number(ended, { service, status: FAILED }),
};

/** @param {Record<string, string>} columns */
const useCounts = (columns, condition = "TRUE") =>
  useAnswer((signal) => countBy(columns, condition, signal), [], EVERY_MS).data ?? [];

export function Overview() {
  const registry = useRegistry();
  const { data: counts } = useAnswer((signal) => lookCounts("TRUE", signal), [], EVERY_MS);
  const services = byService(useCounts(BY_SERVICE));
  return html`<div class="head"><h1>Overview</h1></div>
    ${registry?.services.length === 0 && html`<p class="empty">
      No service is registered. Start one and tell the server of it:${" "}
      <code>perdure deployments register http://localhost:9080</code></p>`}
    <${Attention} />
    <h2>Invocations</h2>
    <${StatusBar} counts=${counts} chosen=${[]} onToggle=${(status) => go(address(["invocations"], { status }))} />
    <${Throughput} />
    ${services[0] && html`<h2>Services</h2>
      <div class="figures">${table("Services", services.slice(0, 100), "service", SERVICE_COLUMNS)}</div>`}
    ${registry?.deployments[0] && html`<${Deployments} deployments=${registry.deployments} />`}`;
}

/** @type {WithNumbers} */
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
    return slots(await countBy(BY_SLOT, slotted(now), signal), now);
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

const FAILING_SQL = `SELECT last_attempt_deployment_id AS id, count(*) AS n, max(last_failure) AS failure
  FROM sys_invocation WHERE status = 'backing-off' GROUP BY 1`;

/** @param {{deployments: any[]}} props */
function Deployments({ deployments }) {
  const open = useCounts({ id: "pinned_deployment_id" }, "status <> 'completed'");
  const { data: failing } = useAnswer((signal) => query(FAILING_SQL, signal), [], EVERY_MS);
  const rows = deployments.slice(-50).reverse().map(({ id, endpoint }) => {
    const [all, bad] = [open, failing].map((found) => found?.find((one) => one.id === id));
    return { id, endpoint, open: all?.n, retrying: bad?.n, failure: firstLine(bad?.failure).slice(0, 200) };
  });
  return html`<h2>Deployments</h2>${table("Deployments", rows, "id", {
    Deployment: ({ id }) => idLink(id),
    Endpoint: ({ endpoint }) => html`<bdi>${endpoint}</bdi>`,
    Open: ({ id, open }) => number(open, { deployment: id, status: OPEN }),
    Retrying: ({ id, retrying }) => number(retrying, { deployment: id, status: "backing-off" }),
    "Last failure": ({ failure }) => (failure ? html`<bdi class="invalid">${failure}</bdi>` : "✓ none"),
  })}`;
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
