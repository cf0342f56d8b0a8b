// @ts-check
import { answerTo } from "../logic/waits.js";
import {
	StatusBadge, clockTime, duration, facts, failedTries, html, idLink, link, literal, lookName, millis, query, relative,
	request, shortLink, useOnce, useSettings, whereKey, why,
} from "./kit.js";
import { Operations } from "./operation.js";
import { Copied, Copy } from "./value.js";

export function Head({ story: { row, waits, steps }, now }) {
	const { status, target_service_name: service, target_service_key: key } = row;
	const { data: holder } = useOnce(async (signal) => {
		if (status !== "pending" || key === undefined) return null;
		return (await query(`SELECT invocation_id FROM sys_keyed_service_status
			WHERE ${whereKey(service, key)}`, signal))[0]?.invocation_id;
	}, [status, row.modified_at]);
	const failure = (row.completed_at ? row.completion_failure : row.last_failure) ?? "";
	// Somebody who paused it knows more than its last failure.
	const { code, who, reason } = steps.findLast((one) => ["pause", "resume"].includes(one.code)) ?? {};
	const text = status === "paused" && code === "pause" ? `paused by ${who || "an operator"}${reason && `: ${reason}`}`
		: !waits.length && why(row, now);
	return html`<p>${link(["invocations"], "Invocations")} /</p>
		<div class="head"><h1><bdi>${row.target}</bdi></h1><${StatusBadge} row=${row} /><i class="grow" />
			<${Operations} row=${row} /></div>
		<div class="why">
			${row.cancelling && html`<p>Cancelling: ${row.cancelling.split(/(inv_1\w+)/).map((part) =>
				part.startsWith("inv_1") ? shortLink(part) : part)}</p>`}
			${text && html`<p dir="auto">${text}</p>`}
			${holder && html`<p>The key is held by ${shortLink(holder)}.</p>`}
			${waits.length > 0 && html`<p>${waits[0].told ? "Waits for" : "Not through yet:"} ${waits.map((wait, at) =>
				html`${at > 0 && " or "}<${Waiting} wait=${wait} answer=${answerTo(row, wait)} now=${now} />`)}</p>`}
			${/\n|^.{160}/.test(failure) && html`<details><summary>Traceback</summary>
				<pre tabindex="0" class="value">${failure}</pre></details>`}
		</div>`;
}

function Waiting({ wait: { id, step, since, text, child, until }, answer, now }) {
	const { zone } = useSettings();
	if (until) return html`a timer until ${clockTime(until, zone, now)} (in ${duration(Math.max(0, until - now))})`;
	return html`${id ? "an awakeable" : html`${step && `step ${step.index} `}<code dir="auto">${text}</code>`}
		${child && html` ${shortLink(child)}`}${since && ` for ${duration(Math.max(0, now - since))}`}
		${id && html`: <${Copied} text=${id} kind="awakeable" />`}
		${answer && html` ${link(["waits"], "answer", answer)}`}`;
}

const useIds = (condition, again) => useOnce(async (signal) => condition && query(`SELECT id FROM sys_invocation
	WHERE ${condition} ORDER BY created_at LIMIT 20`, signal), [condition, again]).data || [];

export function About({ story: { row, steps, happenings }, now }) {
	const { zone } = useSettings();
	const { id, target, target_service_name: name, target_service_key: key, invoked_by_target: caller } = row;
	const tries = steps.flatMap((one) => one.tries).length;
	const failures = Math.max(tries, failedTries(row));
	const deployment = row.pinned_deployment_id ?? row.last_attempt_deployment_id;
	const { data: code } = useOnce(async () => deployment && request("GET", `/deployments/${deployment}`), [deployment]);
	const service = code?.services.find((one) => one.name === name);
	const replaced = useIds(row.completed_at && `restarted_from = ${literal(id)}`, happenings.length);
	// Whoever interrupts what it called begins another one.
	const [next] = useIds(caller && lookName(row) === "cancelled" && `target = ${literal(target)}
		AND invoked_by_target = ${literal(caller)} AND created_at > ${literal(row.created_at)}`);
	const created = Date.parse(row.created_at);
	const end = millis(row.completed_at);
	const copied = (text) => text && html`<${Copied} text=${text} />`;
	const beside = (other, a = id, b = other) =>
		html`<span class="nowrap">${shortLink(other)} · ${link(["compare"], "compare", { a, b })}</span> `;
	const kept = (text = "PT0S") => {
		const ms = parseFloat(text.slice(2)) * 1000;
		return end ? `until ${clockTime(end + ms, zone, now)}` : duration(ms);
	};
	return facts({
		Invocation: copied(id),
		Created: `${clockTime(created, zone, now)} · ${relative(created, now)}`,
		Took: end && duration(end - created),
		Key: key && html`${link(["objects", name, key], key)} <${Copy} text=${key} />`,
		"Idempotency key": copied(row.idempotency_key),
		"Called by": row.invoked_by_id && html`${shortLink(row.invoked_by_id)} <bdi>${caller}</bdi>`,
		Deployment: deployment && html`${idLink(deployment, code?.uri ?? code?.arn)}${service
			&& ` · revision ${service.revision}`}`,
		SDK: row.last_attempt_server ?? code?.sdk_version,
		"Failed tries": failures > 0 && `${failures}`,
		"Restarted from": row.restarted_from && beside(row.restarted_from, row.restarted_from, id),
		"Replaced by": replaced[0] && replaced.map((one) => beside(one.id)),
		"Followed by": next && beside(next.id),
		Kept: (end || row.journal_retention)
			&& `result ${kept(row.completion_retention)}, journal ${kept(row.journal_retention)}`,
		Trace: copied(row.trace_id),
		Beside: link(["compare"], "compare with another", { a: id }),
	}, "wide");
}
