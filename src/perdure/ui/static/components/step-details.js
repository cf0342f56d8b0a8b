// @ts-check
import { lookOf, took } from "../logic/journal.js";
import { choices, keptBefore } from "../logic/restart.js";
import { clockTime, duration, facts, html, idLink, link, useSettings } from "./kit.js";
import { StepName } from "./long-table.js";
import { Copied, ValueView } from "./value.js";

export function StepDetails({ line: { id, step, story }, now, onClose }) {
	const { zone } = useSettings();
	const { tone, word } = lookOf(step);
	const { index, answer, until, child, awakeable, kind, text, tries, headers } = step;
	const waits = step.state === "waiting";
	const time = (at) => clockTime(at, zone, now);
	return html`<aside class="card details" aria-label="Step">
		<div class="head"><h2 class=${`tone-${tone}`}><${StepName} step=${step} /></h2><i class="grow" />
			<button class="plain" onClick=${onClose}>Close</button></div>
		${facts({
			State: word,
			Index: index >= 0 && `${index}${answer && answer !== index ? `, outcome at ${answer}` : ""}`,
			Began: time(step.begin),
			Took: took(step, now) + (step.end === null ? " so far" : ""),
			"Wakes up": until && waits && `${time(until)}, in ${duration(until - now)}`,
			Invocation: child && idLink(child),
			Awakeable: awakeable
				&& html`<${Copied} text=${awakeable} /> ${waits && link(["waits"], "answer", { id: awakeable })}`,
			By: step.who,
			Reason: step.reason,
			[kind === "send" ? "Idempotency key" : "Note"]: text,
		})}
		${choices([step]).length > 0 && html`<p>${link(["invocations", id, "restart"],
			story.row.completed_at ? "Restart from here" : "Interrupt and restart from here…",
			{ from: `${keptBefore(step)}` }, { class: "button" })}</p>`}
		${tries.map(({ at, code, message, trace }, nth) => html`<details key=${nth} open=${nth === tries.length - 1}>
			<summary class="failure">Failed try at ${time(at)}${code && ` · ${code}`}: <bdi>${message}</bdi></summary>
			<pre tabindex="0" class="value">${trace || message}</pre></details>`)}
		${Object.entries({ Input: step.input, Result: step.outcome }).map(([name, outcome]) =>
			outcome && html`<h3>${name}</h3><${ValueView} id=${id} outcome=${outcome} />`)}
		${headers.length > 0 && html`<h3>Headers</h3>
			${facts(Object.fromEntries(headers.map(({ name, value }) => [name, value])))}`}
	</aside>`;
}
