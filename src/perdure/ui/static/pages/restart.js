// @ts-check
/** Run an invocation again: what of its journal is kept, with which code, and what that does once more. */
import { Head } from "../components/invocation-head.js";
import { Keys } from "../components/keys.js";
import {
  address, Choice, go, html, link, reasonHeaders, request, search as setSearch, Text, useAct, useEffect, useNow,
  useOnce, usePlace,
} from "../components/kit.js";
import { Absent, NO_STORY, useStories } from "../components/lives.js";
import { LongTable, StepName, useWindow } from "../components/long-table.js";
import { toast } from "../components/toast.js";
import { valueLine } from "../components/value.js";
import { requestOf } from "../logic/actions.js";
import { lookOf, took } from "../logic/journal.js";
import { choices, hasEffect, keptBefore, likely, limitOf, plan } from "../logic/restart.js";

/** @param {Props} props */
export function Restart({ id }) {
  const { search } = usePlace();
  const story = useStories([id]).get(id) ?? NO_STORY;
  const now = useNow();
  const { row, missing, failure } = story;
  if (!row) return html`<${Absent} id=${id} story=${story} />`;
  const back = html`<p>${link(["invocations", id], "Back to its journal")}</p>`;
  const refused = !row.completed_at
    ? "Only what is completed can be restarted: cancel it first. When its handler has cleaned up and ended, this page goes on."
    : !row.journal_size && "Its journal is not there any more, and with it its input: it cannot be restarted.";
  if (refused) return html`<${Head} story=${story} now=${now} /><p class="effect tone-hold">${refused}</p>${back}`;
  if (missing) return html`<p class="soft">${failure || "Reading the journal…"}</p>`;
  return html`<${Picker} id=${id} story=${story} asked=${search.get("from")} />${back}`;
}

/** @param {Props} props */
function Picker({ id, story: { row, steps, journal }, asked }) {
  const { data } = useOnce((signal) => request("GET", "/deployments", { signal }), []);
  const workflow = row.target_service_ty === "workflow";
  const all = choices(steps);
  const limit = workflow ? { last: 0, why: "state and promises stay with the old key" } : limitOf(steps, journal.length);
  const from = /^\d+$/.test(asked ?? "") ? Number(asked) : likely(all, limit);
  const { kept, again, effects, cancelled } = plan(all, from);
  const fits = from <= limit.last;
  const choose = (next = 0) => setSearch(new URLSearchParams({ from: `${next}` }), { replace: true });
  const shift = (by = 1) => {
    const cuts = [...new Set([0, ...all.map(keptBefore)])].filter((cut) => cut <= limit.last);
    // Keys may come faster than the page is drawn.
    const at = Number(new URLSearchParams(location.search).get("from") ?? from);
    choose(cuts[Math.min(cuts.length - 1, Math.max(0, cuts.findLastIndex((cut) => cut <= at) + by))]);
  };
  const { busy, failure, run } = useAct(async ({ deployment, key, reason }) => {
    const { method, path } = requestOf("restart-as-new", id, { from, deployment, key });
    const begun = (await request(method, path, { headers: reasonHeaders(reason) })).new_invocation_id;
    toast(html`Restarted. ${link(["compare"], "Compare with the one before", { a: id, b: begun })}`);
    go(address(["invocations", begun]));
  });
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    void run(Object.fromEntries(new FormData(event.target)));
  };
  const [less, more] = [["keep one step less", () => shift(-1)], ["keep one step more", () => shift(1)]];
  return html`<div class="head"><h1>Restart <bdi>${row.target}</bdi></h1><span class="mono soft">${id}</span><span class="grow"></span>
      <${Keys} keys=${[["k", ...less], ["j", ...more], ["ArrowUp", ...less], ["ArrowDown", ...more]]} /></div>
    <p>A new invocation begins with the same input. Steps that are kept do not run again: their results are taken from this journal.</p>
    <${Steps} steps=${all} from=${from} limit=${limit} onChoose=${choose} />
    <form onSubmit=${submit}>
      <p class="effect tone-run" role="status"><strong>Keeps ${kept.length} ${kept.length === 1 ? "step" : "steps"}, runs ${again.length} again.</strong> The journal is kept up to entry ${from}.</p>
      ${effects.length > 0 && html`<p class="effect tone-retry">⚠ ${effects.length} of those that run again did something outside already, and do it once more: <code dir="auto">${effects.slice(0, 5).map((step) => step.code).join(", ")}${effects.length > 5 && " …"}</code></p>`}
      ${cancelled && html`<p class="effect tone-fail">The cancellation is among what is kept: the new invocation is cancelled again. Keep less.</p>`}
      ${!fits && html`<p class="invalid" role="alert">It can be kept up to entry ${limit.last} only: ${limit.why}.</p>`}
      <${Choice} label="Code" name="deployment" of=${codes(row, data?.deployments ?? [])} />
      ${workflow && html`<${Text} label="Key of the new workflow: one runs once per key" name="key" required />`}
      <${Text} label="Reason, kept in the journals of both" name="reason" maxlength="500" />
      ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
      <div class="bar"><button class="primary" disabled=${busy || !fits}>Restart as new</button></div>
    </form>`;
}

/** What can be chosen to run it. @param {InvocationRow} row @param {any[]} deployments @returns {Record<string, string>} */
function codes({ target_service_name: wanted, pinned_deployment_id: pinned }, deployments) {
  const places = Object.fromEntries(deployments.flatMap(({ id, uri, arn, services }) => services
    .filter((/** @type {any} */ one) => one.name === wanted)
    .map((/** @type {any} */ one) => [id, `${uri ?? arn ?? id}, revision ${one.revision}`])));
  return { latest: "the newest deployment", keep: `the deployment it ran on${pinned ? ` (${places[pinned] ?? pinned})` : ""}`, ...places };
}

/** @param {Props} props */
function Steps({ steps, from, limit, onChoose }) {
  const seen = useWindow(steps.length);
  const edge = steps.findLastIndex((step) => step.index <= from);
  useEffect(() => seen.show(Math.max(0, edge)), [edge]);
  const draw = (/** @type {Step} */ step, at = 0) => {
    const keeps = step.index <= from;
    const cut = keptBefore(step);
    const refused = cut > limit.last;
    return html`<tr key=${step.key} data-step=${step.key} class=${`tone-${lookOf(step).tone} ${keeps ? "" : "again"} ${at === edge ? "edge" : ""}`}>
      <td class="mark">${keeps ? "● keep" : "○ run again"}</td><td class="num soft">${step.index}</td><td class="cut"><${StepName} step=${step} /></td>
      <td class="res cut soft" dir="auto">${step.outcome && valueLine(step.outcome)}</td><td class="took right soft">${took(step)}</td>
      <td><button disabled=${refused} title=${refused ? limit.why : ""} aria-pressed=${cut === from} onClick=${() => onChoose(cut)}>Run again from here</button>
        ${!keeps && hasEffect(step) && html` <span class="failure" title="It did something outside already">⚠ again</span>`}</td></tr>`;
  };
  return html`<${LongTable} seen=${seen} kind="picker" rows=${steps} draw=${draw} columns=${[
    ["mark", "Kept?"], ["num", "#"], ["", "Step"], ["res", "Result"], ["took right", "Took"], ["time", html`<span class="unseen">Choose</span>`]]} />`;
}
