// @ts-check
/** Two invocations side by side: which steps they share, which values differ, how long each took. */
import { invocationLink } from "../components/invocation-head.js";
import { address, duration, go, html, millis, useMemo, useNow, usePlace, useState } from "../components/kit.js";
import { Absent, NO_STORY, useStories } from "../components/lives.js";
import { Bar, LongTable, StepName, useWindow } from "../components/long-table.js";
import { StatusBadge } from "../components/status-badge.js";
import { useOutcome, valueLine } from "../components/value.js";
import { align } from "../logic/align.js";
import { diffLines, shorten } from "../logic/diff.js";
import { lookOf, took } from "../logic/journal.js";
import { shown } from "../logic/payload.js";
import { firstLine } from "../logic/status.js";
import { ALL, makeAxis } from "../logic/timeline.js";

/** @type {Record<string, string>} */
const WORDS = { "=": "same", "~": "differs", "-": "only left", "+": "only right" };
const SIDES = ["Left", "Right"];
const ID = "\\s*inv_1[0-9A-Za-z]{33}\\s*";

export function Compare() {
  const { search } = usePlace();
  const ids = ["a", "b"].map((name) => (search.get(name) ?? "").trim());
  const swap = () => go(address(["compare"], { a: ids[1], b: ids[0] }));
  return html`<div class="head"><h1>Compare</h1></div>
    <form class="bar" action=${address(["compare"])}>
      ${ids.map((id, side) => html`<label class="field" key=${side}><span>${SIDES[side]}</span>
        <input class="mono" name=${"ab"[side]} size="40" required pattern=${ID} title="the id of an invocation" value=${id} /></label>`)}
      <button class="primary">Compare</button><button type="button" onClick=${swap}>Swap</button></form>
    ${ids.every((id) => RegExp(`^${ID}$`).test(id)) ? html`<${Sides} key=${ids.join()} ids=${ids} />`
      : html`<p class="empty">Two invocations, side by side: give the ids of both.</p>`}`;
}

/** @param {Props} props */
function Sides({ ids }) {
  const known = useStories([...new Set(ids)]);
  const now = useNow();
  const [opened, setOpened] = useState("");
  const stories = ids.map((id) => known.get(id) ?? NO_STORY);
  const pairs = useMemo(() => pairsOf(stories[0].steps, stories[1].steps), stories);
  const absent = stories.findIndex((story) => !story.row);
  if (absent >= 0) return html`<${Absent} id=${ids[absent]} story=${stories[absent]} />`;
  const begins = stories.map(({ row }) => Date.parse(row.created_at));
  const lengths = stories.map(({ row }, side) => (millis(row.completed_at) ?? now) - begins[side]);
  const pair = pairs.find(({ key }) => key === opened);
  const onOpen = (key = "") => setOpened(key === opened ? "" : key);
  return html`<${Totals} ...${{ stories, lengths, pairs }} /><${Pairs} ...${{ pairs, lengths, begins, now, opened, onOpen }} />
    ${pair && html`<${ValueDiff} key=${opened} ids=${ids} pair=${pair} />`}`;
}

/** @param {Step[]} left @param {Step[]} right @returns {Pair[]} */
function pairsOf(left, right) {
  const [ones, others] = [left, right].map((steps) => steps.filter((step) => step.index >= 0));
  // What is written into the code of a step may differ from run to run: times and ids are not its name.
  const name = (/** @type {Step} */ { kind, code, name }) => `${["sleep", "resolve", "output"].includes(kind) ? kind : code} ${name}`;
  const sign = (/** @type {Step} */ a, /** @type {Step} */ b) =>
    a.state === b.state && same(a.input, b.input) && same(a.outcome, b.outcome) ? "=" : "~";
  return align(ones, others, name)
    .map(([a, b]) => ({ key: `${a?.key}|${b?.key}`, a, b, sign: a && b ? sign(a, b) : a ? "-" : "+" }));
}

/** @param {Outcome | null} one @param {Outcome | null} other */
function same(one, other) {
  // What was not sent is known by its length alone.
  if (one?.kind === "Success" && other && !(one.value && other.value)) return one.size === other.size;
  return one?.kind === other?.kind && JSON.stringify(one?.value) === JSON.stringify(other?.value);
}

/** @param {Props} props */
function Totals({ stories, lengths, pairs }) {
  const count = (sign = "") => pairs.filter((pair) => pair.sign === sign).length;
  const more = lengths[1] - lengths[0];
  return html`<div class="cards">${stories.map(({ row }, side) => html`<section class="card" key=${side} aria-label=${SIDES[side]}>
      <h2><bdi>${row.target}</bdi> <${StatusBadge} row=${row} /></h2>
      <p>${invocationLink(row.id)} · ${duration(lengths[side])} · ${pairs.length - count(side ? "-" : "+")} steps</p>
      <p class="failure" dir="auto">${firstLine(row.completion_failure)}</p>
      ${row.restarted_from === stories[1 - side].row.id && html`<p class="soft">restarted from the other</p>`}</section>`)}</div>
    <p>${Object.keys(WORDS).map((sign) => html`<span class="chip" data-sign=${sign}>${sign} ${count(sign)} ${WORDS[sign]}</span> `)}
      <span class="soft">the right one took ${duration(Math.abs(more))} ${more < 0 ? "less" : "more"}</span></p>`;
}

/** @param {Props} props */
function Pairs({ pairs, lengths, begins, now, opened, onOpen }) {
  const seen = useWindow(pairs.length);
  const axis = makeAxis(0, Math.max(...lengths));
  const drawn = (/** @type {Step | null} */ step, side = 0) => step && html`<${Bar} axis=${axis} view=${ALL} kind=${"ab"[side]}
    tone=${`var(--${side ? "wait" : "run"})`} from=${step.begin - begins[side]} to=${(step.end ?? now) - begins[side]} />`;
  const draw = (/** @type {Pair} */ { key, sign, a, b }) => html`<tr key=${key} data-sign=${sign} class=${opened === key ? "chosen" : ""}>
    <td><button class="plain" aria-expanded=${opened === key} onClick=${() => onOpen(key)}>${sign} ${WORDS[sign]}</button></td>
    <${Side} step=${a} /><${Side} step=${b} /><td class="time"><div class="bars" aria-hidden="true">${drawn(a, 0)}${drawn(b, 1)}</div></td></tr>`;
  return html`<${LongTable} seen=${seen} kind="compare" rows=${pairs} draw=${draw} columns=${[
    ["mark", "Both"], ["side", "Left"], ["", "Result"], ["side", "Right"], ["", "Result"], ["time", html`<span class="unseen">Time</span>`]]} />`;
}

/** @param {Props} props */
function Side({ step }) {
  if (!step) return html`<td class="soft">–</td><td></td>`;
  const value = step.outcome ?? step.input;
  return html`<td class=${`cut tone-${lookOf(step).tone}`}><${StepName} step=${step}><span class="soft">${step.index} </span><//> <span class="soft">${took(step)}</span></td>
    <td class=${`cut ${value?.kind === "Failure" ? "failure" : ""}`} dir="auto">${value && valueLine(value)}</td>`;
}

/** @param {Props} props */
function ValueDiff({ ids, pair: { a, b } }) {
  const [one, other] = [useText(ids[0], a), useText(ids[1], b)];
  const lines = useMemo(() => (one === null || other === null ? null : shorten(diffLines(one, other))), [one, other]);
  return html`<section class="card" aria-label="Difference"><h2>Difference of <code dir="auto">${(a ?? b)?.code}</code></h2>
    ${!lines ? html`<p class="soft">Loading…</p>` : !lines.some(Boolean) ? html`<p class="soft">The values are the same.</p>`
      : html`<pre class="value" dir="auto" tabindex="0">${lines.map((line) => line === null ? "⋯\n"
        : line.sign === " " ? `  ${line.text}\n` : html`<${line.sign === "+" ? "ins" : "del"}>${line.sign} ${line.text}<//>`)}</pre>`}</section>`;
}

/** Input and outcome of a step as text, null while they are being read. @param {string} id @param {Step | null} step */
function useText(id, step) {
  const wanted = [step?.input ?? null, step?.outcome ?? null];
  const parts = wanted.map((outcome) => useOutcome(id, outcome));
  if (parts.some(({ data, failure }, at) => wanted[at] && !data && !failure)) return null;
  const texts = parts.map(({ data, failure }) => failure || (data?.kind === "Success" ? shown(data.value).text : data && valueLine(data)));
  return texts.filter(Boolean).join("\n");
}
