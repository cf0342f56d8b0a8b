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
  const refused = !row.completed_at
    ? "Only what is completed can be restarted: cancel it first. This page goes on when its handler has ended."
    : !row.journal_size && "Its journal is not there any more, and with it its input: it cannot be restarted.";
  const body = refused
    ? html`<${Head} story=${story} now=${now} /><p class="effect tone-hold">${refused}</p>`
    : missing ? html`<p class="soft">${failure || "Reading the journal…"}</p>`
      : html`<${Picker} id=${id} story=${story} asked=${search.get("from")} />`;
  return html`${body}<p>${link(["invocations", id], "Back to its journal")}</p>`;
}

/** @param {Props} props */
function Picker({ id, story: { row, steps, journal }, asked }) {
  const { data } = useOnce((signal) => request("GET", "/deployments", { signal }), []);
  const workflow = row.target_service_ty === "workflow";
  const all = choices(steps);
  const limit = workflow ? { last: 0, why: "state and promises stay with the old key" }
    : limitOf(steps, journal.length);
  const from = /^\d+$/.test(asked ?? "") ? Number(asked) : likely(all, limit);
  const { kept, again, effects, cancelled } = plan(all, from);
  const seen = useWindow(all.length);
  const edge = kept.length - 1;
  useEffect(() => seen.show(Math.max(0, edge)), [edge]);
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
  const draw = (/** @type {Step} */ step, at = 0) => {
    const cut = keptBefore(step);
    const refused = cut > limit.last;
    return html`<tr key=${step.key} data-step=${step.key}
        class=${`tone-${lookOf(step).tone} ${at > edge ? "again" : at === edge ? "edge" : ""}`}>
      <td>${at > edge ? "○ run again" : "● keep"}</td><td class="num soft">${step.index}</td>
      <td class="cut"><${StepName} step=${step} /></td>
      <td class="res cut soft" dir="auto">${step.outcome && valueLine(step.outcome)}</td>
      <td class="took right soft">${took(step)}</td>
      <td><button disabled=${refused} title=${refused ? limit.why : ""} aria-pressed=${cut === from}
          onClick=${() => choose(cut)}>Run again from here</button>
        ${at > edge && hasEffect(step)
          && html` <span class="failure" title="It did something outside already">⚠ again</span>`}</td></tr>`;
  };
  return html`<div class="head"><h1>Restart <bdi>${row.target}</bdi></h1><span class="mono soft">${id}</span>
      <span class="grow"></span>
      <${Keys} keys=${[["k", ...less], ["j", ...more], ["ArrowUp", ...less], ["ArrowDown", ...more]]} /></div>
    <p>A new invocation begins with the same input. Kept steps do not run again: this journal has their results.</p>
    <${LongTable} seen=${seen} kind="picker" rows=${all} draw=${draw} columns=${{ "Kept?": "mark", "#": "num", Step: "",
      Result: "res", Took: "took right", Choose: "time" }} />
    <form onSubmit=${submit}>
      <p class="effect tone-run" role="status">
        <b>Keeps ${kept.length} ${kept.length === 1 ? "step" : "steps"}, runs ${again.length} again.</b>
        ${" "}The journal is kept up to entry ${from}.</p>
      ${effects.length > 0 && html`<p class="effect tone-retry">⚠ ${effects.length} of those that run again did
        something outside already, and do it once more:
        <code dir="auto"> ${effects.slice(0, 5).map((step) => step.code).join(", ")}</code>
        ${effects.length > 5 && " …"}</p>`}
      ${cancelled && html`<p class="effect tone-fail">The cancellation is among what is kept: the new invocation is
        cancelled again. Keep less.</p>`}
      ${from > limit.last && html`<p class="invalid" role="alert">
        It can be kept up to entry ${limit.last} only: ${limit.why}.</p>`}
      <${Choice} label="Code" name="deployment" of=${codes(row, data?.deployments ?? [])} />
      ${workflow && html`<${Text} label="Key of the new workflow: one runs once per key" name="key" required />`}
      <${Text} label="Reason, kept in the journals of both" name="reason" maxlength="500" />
      ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
      <div class="bar"><button class="primary" disabled=${busy || from > limit.last}>Restart as new</button></div>
    </form>`;
}

/** What can run it. @param {InvocationRow} row @param {any[]} deployments @returns {Record<string, string>} */
function codes({ target_service_name: wanted, pinned_deployment_id: pinned }, deployments) {
  const places = Object.fromEntries(deployments.flatMap(({ id, uri, arn, services }) => services
    .filter((/** @type {any} */ one) => one.name === wanted)
    .map((/** @type {any} */ one) => [id, `${uri ?? arn ?? id}, revision ${one.revision}`])));
  const keep = `the deployment it ran on${pinned ? ` (${places[pinned] ?? pinned})` : ""}`;
  return { latest: "the newest deployment", keep, ...places };
}
