// @ts-check
/** All that is known of one step: what went in, what came out, each failed try. */
import { lookOf, took } from "../logic/journal.js";
import { choices, keptBefore } from "../logic/restart.js";
import { clockTime, duration, html, link, useSettings } from "./kit.js";
import { Facts, StepName } from "./long-table.js";
import { Copied, ValueView } from "./value.js";

/** @param {Props} props */
export function StepDetails({ line: { id, step, story }, now, onClose }) {
  const { zone } = useSettings();
  const { tone, word } = lookOf(step);
  const { index, answer, until, child, awakeable, kind, text, tries, headers } = step;
  const waits = step.state === "waiting";
  const outcomes = Object.entries({ Input: step.input, Result: step.outcome });
  return html`<aside class="card details" aria-label="Step">
    <div class="head"><h2 class=${`tone-${tone}`}><${StepName} step=${step} /></h2><span class="grow"></span>
      <button class="plain" onClick=${onClose}>Close</button></div>
    <${Facts} facts=${{
      State: word,
      Index: index >= 0 && `${index}${answer && answer !== index ? `, outcome at ${answer}` : ""}`,
      Began: clockTime(step.begin, zone, now),
      Took: took(step, now) + (step.end === null ? " so far" : ""),
      "Wakes up": until && waits && `${clockTime(until, zone, now)}, in ${duration(until - now)}`,
      Invocation: child && link(["invocations", child], child, {}, { class: "mono" }),
      Awakeable: awakeable
        && html`<${Copied} text=${awakeable} /> ${waits && link(["waits"], "answer", { id: awakeable })}`,
      By: step.who,
      Reason: step.reason,
      [kind === "send" ? "Idempotency key" : "Note"]: text,
    }} />
    ${choices([step]).length > 0 && html`<p>${link(["invocations", id, "restart"],
      story.row.completed_at ? "Restart from here" : "Interrupt and restart from here…",
      { from: `${keptBefore(step)}` }, { class: "button" })}</p>`}
    ${tries.map((one, at) => html`<details key=${at} open=${at === tries.length - 1}>
      <summary class="failure">Failed try at ${clockTime(one.at, zone, now)}${one.code && ` · ${one.code}`}${": "}
        <bdi>${one.message}</bdi></summary>
      <pre tabindex="0" class="value">${one.trace || one.message}</pre></details>`)}
    ${outcomes.map(([name, outcome]) => outcome && html`<h3>${name}</h3><${ValueView} id=${id} outcome=${outcome} />`)}
    ${headers.length > 0 && html`<h3>Headers</h3>
      <${Facts} facts=${Object.fromEntries(headers.map(({ name, value }) => [name, value]))} />`}
  </aside>`;
}
