// @ts-check
import {
	FAILED, LOOKS, OPEN, address, countBy, countOf, duration, filter, firstLine, follow, go, heading, html, idLink, link,
	lookCounts, query, serverNow, table, toSql, useAnswer, useEffect, useState,
} from "../components/kit.js";
import { StatusBar } from "../components/list-filters.js";
import {
	BY_SERVICE, BY_SLOT, SLOTS, SLOT_MINUTES, USUAL_SQL, attention, byService, slots, slotted, stuckFilters,
} from "../logic/overview.js";

const EVERY_MS = 2000;
const SELDOM_MS = 15000;

const to = (filters, text, rest) => link(["invocations"], text, filters, rest);

const number = (n, values) => (n ? to(filter(values), n) : html`<small>–</small>`);

/** @type {TableColumns} */
const SERVICE_COLUMNS = {
	Service: ({ service }) => html`<bdi>${service}</bdi>`,
	All: ({ service, all }) => number(all, { service }),
	...Object.fromEntries([...OPEN, "succeeded"].map((status) => [`${LOOKS[status].sign} ${LOOKS[status].word}`,
		({ service, [status]: n }) => number(n, { service, status })])),
	"✕ Ended otherwise": ({ service, ended }) => number(ended, { service, status: FAILED }),
};

/** @type {TableColumns} */
const DEPLOYMENT_COLUMNS = {
	Deployment: ({ id }) => idLink(id),
	Endpoint: ({ endpoint }) => html`<bdi>${endpoint}</bdi>`,
	Open: ({ id, open }) => number(open, { deployment: id, status: OPEN }),
	Retrying: ({ id, retrying }) => number(retrying, { deployment: id, status: "backing-off" }),
	"Last failure": ({ failure }) => (failure ? html`<bdi class="invalid">${failure}</bdi>` : "✓ none"),
};
const FAILING_SQL = `SELECT last_attempt_deployment_id AS id, count(*) AS n, max(last_failure) AS failure
	FROM sys_invocation WHERE status = 'backing-off' GROUP BY 1`;

const useOften = (ask, every = EVERY_MS, inputs = []) => useAnswer(ask, inputs, every).data;

export function Overview() {
	const [registry, set] = useState(null);
	useEffect(() => follow(["registry"], {
		onMessages: (messages) => messages.forEach(({ data }) => data.deployments && set(data)),
	}), []);
	const { services, deployments } = registry ?? {};
	const counts = useOften((signal) => lookCounts("TRUE", signal));
	const busy = byService(useOften((signal) => countBy(BY_SERVICE, "TRUE", signal)) ?? []);
	return html`${heading("Overview")}
		${services && !services[0] && html`<p class="empty">
			No service is registered. Start one, then:${" "}
			<code>perdure deployments register http://localhost:9080</code></p>`}
		<${Attention} />
		<h2>Invocations</h2>
		<${StatusBar} counts=${counts} chosen=${[]} onToggle=${(status) => go(address(["invocations"], { status }))} />
		<${Throughput} />
		${busy[0] && html`<h2>Services</h2>
			<div class="figures">${table("Services", busy.slice(0, 100), "service", SERVICE_COLUMNS)}</div>`}
		${deployments?.[0] && html`<${Deployments} deployments=${deployments} />`}`;
}

const withNumbers = async (figures, signal) => {
	const all = [];
	for (const one of figures) all.push({ ...one, n: await countOf(toSql(one.filters), signal) });
	return all;
};

function Attention() {
	const usual = useOften((signal) => query(USUAL_SQL, signal), SELDOM_MS);
	const known = useOften((signal) => withNumbers(attention(serverNow()), signal));
	const stuck = useOften((signal) => withNumbers(stuckFilters(usual ?? [], serverNow()), signal), SELDOM_MS, [usual]);
	const figures = [...known ?? [], ...(stuck ?? []).filter(({ n }) => n)];
	return html`<section aria-label="Needs you"><div class="cards figure">
		${figures.map(({ name, service, sign, word, tone, text, filters, n }) => to(filters, html`<b>${n}</b>
			<span aria-hidden>${sign} </span><bdi>${service}</bdi> ${word}<br /><small>${text}</small>`,
			{ key: name + service, "data-name": name, class: n ? `card tone-${tone}` : "card soft" }))}
		</div>${known && figures.every(({ n }) => !n) && html`<p class="soft">✓ Nothing needs you.</p>`}</section>`;
}

function Throughput() {
	const bars = useOften(async (signal) => {
		const now = serverNow();
		return slots(await countBy(BY_SLOT, slotted(now), signal), now);
	});
	if (!bars) return null;
	const ended = new Date(bars[0].begin).toISOString();
	const all = (name, status, word) =>
		to(filter({ status, ended }), `${bars.reduce((sum, bar) => sum + bar[name], 0)} ${word}`);
	const top = Math.max(1, ...bars.map(({ ok, fail }) => ok + fail));
	return html`<h2>Completed in the last hour: ${all("ok", "succeeded", "succeeded")},
			${" "}${all("fail", FAILED, "did not")}</h2>
		<svg class="plot" viewBox="0 0 ${SLOTS} ${top}" preserveAspectRatio="none" role="img"
			aria-label="Completed in ${SLOT_MINUTES} minutes each, ${top} at the most">
			${bars.map(({ begin, ok, fail }, x) => html`<g>
				<title>${duration(serverNow() - begin)} ago: ${ok} succeeded, ${fail} did not</title>
				<rect class="tone-ok" x=${x} width="0.8" y=${top - ok} height=${ok} />
				<rect class="tone-fail" x=${x} width="0.8" y=${top - ok - fail} height=${fail} /></g>`)}</svg>`;
}

function Deployments({ deployments }) {
	const open = useOften((signal) => countBy(["pinned_deployment_id AS id"], "status <> 'completed'", signal));
	const failing = useOften((signal) => query(FAILING_SQL, signal));
	const rows = deployments.slice(-50).reverse().map(({ id, endpoint }) => {
		const [all, bad] = [open, failing].map((found) => found?.find((one) => one.id === id) ?? {});
		return { id, endpoint, open: all.n, retrying: bad.n, failure: firstLine(bad.failure).slice(0, 200) };
	});
	return html`<h2>Deployments</h2>${table("Deployments", rows, "id", DEPLOYMENT_COLUMNS)}`;
}
