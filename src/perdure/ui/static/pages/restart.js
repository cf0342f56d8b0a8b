// @ts-check
/** Run a completed invocation again: what of its journal is kept, with which code, and what that does once more. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { reasonHeaders, request } from "../api/http.js";
import { useNow } from "../components/clock.js";
import { Head } from "../components/invocation-head.js";
import { Spacer, useWindow } from "../components/journal-table.js";
import { Keys } from "../components/keys.js";
import { useLives, useStories, useWhole } from "../components/lives.js";
import { Link, address, go, search as setSearch, usePlace } from "../components/router.js";
import { toast } from "../components/toast.js";
import { valueLine } from "../components/value.js";
import { requestOf } from "../logic/actions.js";
import { NO_LIFE } from "../logic/fold.js";
import { STATES, stateWord } from "../logic/journal.js";
import { choices, hasEffect, keptBefore, likely, limitOf, plan } from "../logic/restart.js";
import { duration } from "../logic/time.js";

/** @typedef {import("../logic/journal.js").Step} Step */

/** @param {{id: string}} props */
export function Restart({ id }) {
  const { search } = usePlace();
  const lives = useLives([id]);
  const life = lives.get(id) ?? NO_LIFE;
  const { journal, missing, failure } = useWhole(id, life);
  const story = useStories(lives, id, journal).get(id);
  const now = useNow();
  const row = life.row;
  if (!life.loaded) return html`<p class="soft">Loading…</p>`;
  if (!row) return html`<h1>Restart</h1><p class="empty">Invocation <bdi class="mono">${id}</bdi> is not known: it never was, or its retention is over.</p>`;
  const back = html`<p><${Link} to=${address(["invocations", id])}>Back to its journal<//></p>`;
  if (row.status !== "completed") {
    return html`<${Head} row=${row} waits=${story?.waits ?? []} now=${now} /><p class="effect tone-hold">Only what is completed can be restarted: cancel it first. This page goes on when it has ended.</p>${back}`;
  }
  if (!row.journal_size) return html`<${Head} row=${row} waits=${[]} now=${now} /><p class="effect tone-fail">Its journal is not there any more, and with it its input: it cannot be restarted.</p>${back}`;
  if (missing || !story) return html`<p class="soft">${failure || "Reading the journal…"}</p>`;
  return html`<${Picker} ...${{ id, row, steps: story.steps, size: journal.length, asked: search.get("from") }} />${back}`;
}

/** @param {{id: string, row: Row, steps: Step[], size: number, asked: string | null}} props */
function Picker({ id, row, steps, size, asked }) {
  const [deployments, setDeployments] = useState(/** @type {any[]} */ ([]));
  const [deployment, setDeployment] = useState("latest");
  const [reason, setReason] = useState("");
  const [key, setKey] = useState("");
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    request("GET", "/deployments").then((answer) => setDeployments(answer.deployments), () => {});
  }, []);
  const workflow = row.target_service_ty === "workflow";
  const limit = workflow ? { last: 0, why: "state and promises stay with the old key" } : limitOf(steps, size);
  const from = asked !== null && /^\d+$/.test(asked) ? Number(asked) : likely(steps, limit);
  const { kept, again, effects, cancelled } = plan(steps, from);
  const fits = from <= limit.last;
  const choose = /** @param {number} next */ (next) => setSearch(new URLSearchParams({ from: String(next) }), { replace: true });
  const all = choices(steps);
  const cuts = all.map(keptBefore).filter((cut) => cut <= limit.last);
  if (!cuts.length || cuts[0] > 0) cuts.unshift(0);
  const shift = /** @param {number} by */ (by) => {
    // Keys may come faster than the page is drawn.
    const at = Number(new URLSearchParams(location.search).get("from") ?? from);
    choose(cuts[Math.min(cuts.length - 1, Math.max(0, cuts.findLastIndex((cut) => cut <= at) + by))]);
  };
  const restart = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    const { method, path } = requestOf("restart-as-new", id, { from, deployment, key: workflow ? key : undefined });
    try {
      const begun = (await request(method, path, { headers: reasonHeaders(reason) })).new_invocation_id;
      toast(html`Restarted. <${Link} to=${address(["compare"], { a: id, b: begun })}>Compare with the one before<//>`);
      go(address(["invocations", begun]));
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
      setBusy(false);
    }
  };
  const input = /** @param {(text: string) => void} set */ (set) => (/** @type {any} */ event) => set(event.target.value);
  return html`<div class="head"><h1>Restart <bdi>${row.target}</bdi></h1><span class="mono soft">${id}</span><span class="grow"></span>
      <${Keys} keys=${[["k", "keep one step less", () => shift(-1)], ["j", "keep one step more", () => shift(1)], ["ArrowUp", "keep one step less", () => shift(-1)], ["ArrowDown", "keep one step more", () => shift(1)]]} /></div>
    <p>A new invocation begins with the same input. Steps that are kept are not run again: their results are taken from this journal.</p>
    <${Steps} steps=${all} from=${from} limit=${limit} onChoose=${choose} />
    <form onSubmit=${restart}>
      <p class="effect tone-run" role="status"><strong>Keeps ${kept.length} ${kept.length === 1 ? "step" : "steps"}, runs ${again.length} again.</strong> The journal is kept up to entry ${from}.</p>
      ${effects.length > 0 && html`<p class="effect tone-retry">⚠ ${effects.length} of those that run again did something outside already, and do it once more: ${effects.slice(0, 5).map((step, at) => html`${at > 0 && ", "}<code dir="auto">${step.code}</code>`)}${effects.length > 5 && " …"}</p>`}
      ${cancelled && html`<p class="effect tone-fail">The cancellation is among what is kept: the new invocation is cancelled again. Keep less.</p>`}
      ${!fits && html`<p class="invalid" role="alert">It can be kept up to entry ${limit.last} only: ${limit.why}.</p>`}
      <label class="field"><span>Code</span><select name="deployment" value=${deployment} onChange=${input(setDeployment)}>
        <option value="latest">the newest deployment</option><option value="keep">the deployment it ran on${row.pinned_deployment_id ? ` (${place(deployments, row.pinned_deployment_id, row)})` : ""}</option>
        ${deployments.filter((one) => one.services.some((/** @type {any} */ service) => service.name === row.target_service_name)).map((one) => html`<option key=${one.id} value=${one.id}>${place(deployments, one.id, row)}</option>`)}</select></label>
      ${workflow && html`<label class="field"><span>Key of the new workflow: one runs once per key</span><input name="key" required value=${key} onInput=${input(setKey)} /></label>`}
      <label class="field"><span>Reason, kept in the journals of both</span><input name="reason" value=${reason} maxlength="500" onInput=${input(setReason)} /></label>
      ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
      <div class="bar"><button class="primary" disabled=${busy || !fits}>Restart as new</button></div>
    </form>`;
}

/** @param {any[]} deployments @param {string} id @param {Row} row */
function place(deployments, id, row) {
  const one = deployments.find((deployment) => deployment.id === id);
  const revision = one?.services.find((/** @type {any} */ service) => service.name === row.target_service_name)?.revision;
  return one ? `${one.uri ?? one.arn ?? id}${revision ? `, revision ${revision}` : ""}` : id;
}

/** @param {{steps: Step[], from: number, limit: import("../logic/restart.js").Limit, onChoose: (from: number) => void}} props */
function Steps({ steps, from, limit, onChoose }) {
  const { box, look, show, first, last } = useWindow(steps.length);
  const edge = steps.findLastIndex((step) => step.index <= from);
  useEffect(() => show(Math.max(0, edge)), [edge]);
  return html`<div class="tl picker" ref=${box} onScroll=${look} tabindex="0" role="region" aria-label="Steps"><table>
    <thead><tr><th class="mark">Kept?</th><th class="num">#</th><th>Step</th><th class="res">Result</th><th class="took right">Took</th><th class="time"><span class="unseen">Choose</span></th></tr></thead>
    <tbody><${Spacer} rows=${first} columns=${6} />
    ${steps.slice(first, last).map((step, at) => {
      const keeps = step.index <= from;
      const cut = keptBefore(step);
      return html`<tr key=${step.key} data-step=${step.key} class=${`tone-${STATES[step.state].tone}${keeps ? "" : " again"}${first + at === edge ? " edge" : ""}`}>
        <td class="mark">${keeps ? "● keep" : "○ run again"}</td><td class="num soft">${step.index}</td>
        <td class="cut"><span class="sign" role="img" aria-label=${stateWord(step)}>${STATES[step.state].sign}</span><code dir="auto">${step.code}</code>${step.name && html` <bdi class="soft">${step.name}</bdi>`}</td>
        <td class="res cut soft" dir="auto">${step.outcome ? valueLine(step.outcome) : ""}</td>
        <td class="took right soft">${step.end !== null && step.end > step.begin ? duration(step.end - step.begin) : ""}</td>
        <td><button disabled=${cut > limit.last} title=${cut > limit.last ? limit.why : ""} aria-pressed=${cut === from} onClick=${() => onChoose(cut)}>Run again from here</button>
          ${!keeps && hasEffect(step) && html` <span class="failure" title="It did something outside already">⚠ again</span>`}</td></tr>`;
    })}<${Spacer} rows=${steps.length - last} columns=${6} /></tbody></table></div>`;
}
