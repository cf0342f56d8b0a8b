// @ts-check
import { Head } from "../components/invocation-head.js";
import {
	Choice, Keys, Text, address, counted, fault, go, heading, html, link, lookOf, reasonHeaders, request, requestOf,
	setSearch, submitting, toast, took, useAct, useEffect, useNow, useOnce, usePlace,
} from "../components/kit.js";
import { Absent, NO_STORY, useStories } from "../components/lives.js";
import { LongTable, StepName, useWindow } from "../components/timeline.js";
import { valueLine } from "../components/value.js";
import { choices, hasEffect, keptBefore, likely, limitOf, plan } from "../logic/restart.js";

export function Restart({ id }) {
	const { search } = usePlace();
	const story = useStories([id]).get(id) ?? NO_STORY;
	const now = useNow();
	const { row, missing, failure } = story;
	if (!row) return html`<${Absent} id=${id} story=${story} />`;
	const refused = !row.completed_at
		? "Only what is completed can be restarted: cancel it first. This page goes on when it has ended."
		: !row.journal_size && "It cannot be restarted: its journal is gone, and with it its input.";
	const body = refused ? html`<${Head} story=${story} now=${now} /><p class="effect tone-hold">${refused}</p>`
		: missing ? html`<p class="soft">${failure || "Reading the journal…"}</p>`
			: html`<${Picker} id=${id} story=${story} asked=${search.get("from")} />`;
	return html`${body}<p>${link(["invocations", id], "Back to its journal")}</p>`;
}

function Picker({ id, story: { row, steps, journal }, asked }) {
	const { data: deployments } = useOnce((signal) => request("GET", "/deployments", { signal }), []);
	const workflow = row.target_service_ty === "workflow";
	const all = choices(steps);
	const { last, why } = workflow ? { last: 0, why: "state and promises stay with the old key" }
		: limitOf(steps, journal.length);
	const from = /^\d+$/.test(asked) ? Number(asked) : likely(all, last);
	const { kept, again, effects, cancelled } = plan(all, from);
	const seen = useWindow(all.length);
	const edge = kept.length - 1;
	useEffect(() => seen.show(Math.max(0, edge)), [edge]);
	const choose = (next) => setSearch(new URLSearchParams({ from: next }), { replace: true });
	const shift = (by) => {
		const cuts = all.map(keptBefore).filter((cut) => cut <= last);
		// Keys may come faster than the page is drawn.
		const at = Number(new URLSearchParams(location.search).get("from") ?? from);
		const next = cuts[cuts.findLastIndex((cut) => cut <= at) + by];
		if (next !== undefined) choose(next);
	};
	const keys = Object.entries({ k: -1, j: 1, ArrowUp: -1, ArrowDown: 1 }).map(([key, by]) =>
		[key, `keep one step ${by < 0 ? "less" : "more"}`, () => shift(by)]);
	const { busy, failure, run } = useAct(async ({ deployment, key, reason }) => {
		const { method, path } = requestOf("restart-as-new", id, { from, deployment, key });
		const { new_invocation_id: b } = await request(method, path, { headers: reasonHeaders(reason) });
		toast(html`Restarted. ${link(["compare"], "Compare with the one before", { a: id, b })}`);
		go(address(["invocations", b]));
	});
	const draw = (step, at) => {
		const cut = keptBefore(step);
		const runs = at > edge;
		return html`<tr key=${step.key} data-step=${step.key}
				class=${`tone-${lookOf(step).tone} ${runs ? "again" : at === edge ? "edge" : ""}`}>
			<td>${runs ? "○ run again" : "● keep"}</td><td class="num soft">${step.index}</td>
			<td class="cut"><${StepName} step=${step} /></td>
			<td class="res cut soft" dir="auto">${step.outcome && valueLine(step.outcome)}</td>
			<td class="took right soft">${took(step)}</td>
			<td><button disabled=${cut > last} title=${cut > last ? why : ""} aria-pressed=${cut === from}
					onClick=${() => choose(cut)}>Run again from here</button>
				${runs && hasEffect(step)
					&& html` <span class="failure" title="It did something outside">⚠ again</span>`}</td></tr>`;
	};
	return html`${heading(`Restart ${row.target}`, html`<code class="soft">${id}</code><${Keys} keys=${keys} />`)}
		<p>A new invocation begins with the same input. Kept steps keep their results and do not run again.</p>
		<${LongTable} seen=${seen} kind="picker" rows=${all} draw=${draw} columns=${{ "Kept?": "mark", "#": "num", Step: "",
			Result: "res", Took: "took right", Choose: "time" }} />
		<form onSubmit=${submitting((form) => run(Object.fromEntries(new FormData(form))))}>
			<p class="effect tone-run" role="status"><b>Keeps ${counted(kept.length, "step")},
				runs ${again.length} again.</b> The journal is kept up to entry ${from}.</p>
			${effects.length > 0 && html`<p class="effect tone-retry">⚠ ${effects.length} of these did something outside
				and do it again: <code dir="auto">${effects.slice(0, 5).map(({ code }) => code).join(", ")}</code>${
					effects[5] && " …"}</p>`}
			${cancelled && html`<p class="effect tone-fail">With the cancellation kept it is cancelled again. Keep less.</p>`}
			${fault(from > last && `It can be kept up to entry ${last} only: ${why}.`)}
			<${Choice} label="Code" name="deployment" of=${codes(row, deployments)} />
			${workflow && html`<${Text} label="Key of the new workflow" name="key" required />`}
			<${Text} label="Reason, kept in both journals" name="reason" maxlength="500" />
			${fault(failure)}
			<div class="bar"><button class="primary" disabled=${busy || from > last}>Restart as new</button></div>
		</form>`;
}

// What can run it: values of `deployment` and how they are called.
function codes({ target_service_name: wanted, pinned_deployment_id: pinned }, known) {
	const places = {};
	for (const { id, uri, arn, services } of known?.deployments ?? []) {
		const service = services.find(({ name }) => name === wanted);
		if (service) places[id] = `${uri ?? arn ?? id}, revision ${service.revision}`;
	}
	const keep = `the deployment it ran on${pinned ? ` (${places[pinned] ?? pinned})` : ""}`;
	return { latest: "the newest deployment", keep, ...places };
}
