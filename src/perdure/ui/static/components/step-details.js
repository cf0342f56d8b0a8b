// @ts-check
/** All that is known of one step: what went in, what came out, each failed try. */
import { html } from "../vendor/preact-htm.js";
import { STATES, stateWord } from "../logic/journal.js";
import { choices, keptBefore } from "../logic/restart.js";
import { clockTime, duration } from "../logic/time.js";
import { Link, address } from "./router.js";
import { useSettings } from "./settings.js";
import { Copy, ValueView } from "./value.js";

/** @param {{id: string, step: import("../logic/journal.js").Step, now: number, closed: boolean, onClose: () => void}} props closed: the invocation is completed */
export function StepDetails({ id, step, now, closed, onClose }) {
  const { zone } = useSettings();
  const { sign, tone } = STATES[step.state];
  const fact = /** @param {string} name @param {any} value */ (name, value) => value && html`<dt>${name}</dt><dd>${value}</dd>`;
  return html`<aside class="card details" aria-label="Step">
    <div class="head"><h2><span class=${`sign tone-${tone}`} aria-hidden="true">${sign}</span> <code dir="auto">${step.code}</code></h2><span class="grow"></span>
      <button class="plain" onClick=${onClose}>Close</button></div>
    <dl class="facts">
      ${fact("State", stateWord(step))}${fact("Index", step.index >= 0 && String(step.index) + (step.answer !== null && step.answer !== step.index ? `, outcome at ${step.answer}` : ""))}
      ${fact("Name", step.name && html`<bdi>${step.name}</bdi>`)}
      ${fact("Began", step.begin > 0 && clockTime(step.begin, zone, now))}
      ${fact("Took", step.kind !== "life" && (step.end === null ? `${duration(now - step.begin)} so far` : step.end > step.begin && duration(step.end - step.begin)))}
      ${fact("Wakes up", step.until && step.state !== "ok" && `${clockTime(step.until, zone, now)}, in ${duration(step.until - now)}`)}
      ${fact("Invocation", step.child && html`<${Link} class="mono" to=${address(["invocations", step.child])}>${step.child}<//> <${Copy} text=${step.child} />`)}
      ${fact("Awakeable", step.awakeable && html`<span class="mono">${step.awakeable}</span> <${Copy} text=${step.awakeable} />`)}
      ${fact("By", step.who && html`<bdi>${step.who}</bdi>`)}${fact("Reason", step.reason && html`<bdi>${step.reason}</bdi>`)}
      ${fact(step.kind === "send" ? "Idempotency key" : "Note", step.text && html`<span dir="auto">${step.text}</span>`)}
    </dl>
    ${step.awakeable && step.state === "waiting" && html`<p><${Link} to=${address(["waits"], { id: step.awakeable })}>Answer it<//></p>`}
    ${closed && choices([step]).length > 0 && html`<p><${Link} class="button" to=${address(["invocations", id, "restart"], { from: String(keptBefore(step)) })}>Restart from here<//></p>`}
    ${step.tries.map((one, at) => html`<details key=${at} open=${at === step.tries.length - 1}>
      <summary class="failure">Failed try at ${clockTime(one.at, zone, now)}${one.code ? ` · ${one.code}` : ""}: <bdi>${one.message}</bdi></summary><pre tabindex="0" class="value">${one.trace || one.message}</pre></details>`)}
    ${step.input && html`<h3>Input</h3><${ValueView} id=${id} outcome=${step.input} />`}
    ${step.outcome && html`<h3>Result</h3><${ValueView} id=${id} outcome=${step.outcome} />`}
    ${step.headers.length > 0 && html`<h3>Headers</h3><dl class="facts">${step.headers.map(({ name, value }) => html`<dt class="mono">${name}</dt><dd class="mono" dir="auto">${value}</dd>`)}</dl>`}
  </aside>`;
}
