// @ts-check
import {
	ACTIONS, OPEN, ORDER, StatusBadge, clockTime, countOf, counted, fault, heading, html, idLink, isIn, link, lookCounts,
	table, useAnswer, useSettings,
} from "../components/kit.js";
import { jobs, resumeJob, stopJob } from "../components/operation.js";
import { leftOf, sumOf } from "../logic/bulk.js";

const STATES = {
	running: "is running", stopped: "was stopped", interrupted: "was interrupted when the page was left",
	failed: "failed", done: "is through",
};
const OUTCOME_MS = 1500;
/** @type {TableColumns} */
const REFUSED = { Invocation: (one) => idLink(one.invocation_id), Why: ({ error }) => html`<bdi>${error}</bdi>` };

export function Bulk({ id }) {
	const all = jobs.use();
	const job = all.find((one) => one.id === id);
	if (job) return html`<${Progress} key=${id} ...${job} />`;
	return html`${heading("Jobs of this tab")}
		${id && html`<p class="invalid">This tab knows no job ${id}: it belongs to the tab that began it.</p>`}
		${!all[0] && html`<p class="empty">None. Tick invocations and choose an operation.</p>`}
		<ul>${all.map(({ id, action, words, state, done, total }) => html`<li>
			${link(["bulk", id], `${ACTIONS[action].word}: ${words}`)} ${STATES[state]}, ${done} of ${total}</li>`)}</ul>`;
}

function Progress(job) {
	const { id, state, total, done, failed, unknown, failures, reason, problem } = job;
	const { word, done: told } = ACTIONS[job.action];
	const begun = clockTime(job.begun, useSettings().zone, Date.now());
	const left = leftOf(job);
	const isRunning = state === "running";
	const isDone = state === "done";
	return html`${heading(`${word}: ${counted(total, "invocation")}`, isRunning
		? html`<button class="danger" onClick=${() => stopJob(id)}>Stop</button>` : !isDone && left > 0
			&& html`<button class="primary" onClick=${() => resumeJob(id)}>Go on with the ${left} left</button>`)}
		<p><bdi>${job.words}</bdi> · begun ${begun}${reason && html` · reason: <bdi>${reason}</bdi>`}</p>
		<progress aria-label="Progress" max=${total} value=${isDone ? total : done + failed + unknown}></progress>
		<p role="status">The job ${STATES[state]}: <b>${done}</b> ${told.toLowerCase()}, <b>${failed}</b> refused
			${unknown > 0 && html`, <b>${unknown}</b> unknown`}${!isDone && `, ${left} left`}.</p>
		${fault(problem)}
		<${Outcome} ...${job} />
		${failed > 0 && html`<h2>Refused</h2>${table("Refused", failures, "invocation_id", REFUSED)}`}
		${failed > failures.length && html`<p class="soft">The first ${failures.length} of ${failed} are shown.</p>`}
		<p>${link(["bulk"], "Other jobs of this tab")} · ${link(["invocations"], "Invocations")}</p>`;
}

// A cancel that was requested has not ended anything yet.
function Outcome({ action, watched, state, done }) {
	const { data } = useAnswer(async (signal) => {
		if (!watched[0]) return;
		const condition = isIn("id", watched);
		const cancelling = await countOf(`${condition} AND cancelling IS NOT NULL`, signal);
		return { ...await lookCounts(condition, signal), cancelling };
	}, [state], OUTCOME_MS);
	if (!data) return null;
	const all = watched.length;
	const known = sumOf(data, ORDER);
	return html`<h2>How ${action === "restart-as-new" ? "the new ones" : "they"} are now</h2>
		<div class="legend" data-outcome>
			${ORDER.map((look) => data[look] > 0 && html`<${StatusBadge} name=${look} count=${data[look]} />`)}
			${known < all && html`<span class="badge">${all - known} are no more</span>`}</div>
		<p class="soft">${action === "cancel" && `${known - sumOf(data, OPEN)} of ${all} have completed. `}
			${data.cancelling > 0 && `${data.cancelling} wait for what they call. `}
			${done > all && `The first ${all} are watched.`}</p>`;
}
