// @ts-check
/** Two invocations side by side: which steps they share, which values differ, how long each took. */
import { invocationLink } from "../components/invocation-head.js";
import { address, duration, go, html, millis, useMemo, useNow, usePlace, useState } from "../components/kit.js";
import { Absent, NO_STORY, useStories } from "../components/lives.js";
import { Bar, LongTable, StepName, useWindow } from "../components/long-table.js";
import { StatusBadge } from "../components/status-badge.js";
import { useOutcome, valueLine } from "../components/value.js";
import { align, diffLines, shorten } from "../logic/align.js";
import { lookOf, took } from "../logic/journal.js";
import { shown } from "../logic/payload.js";
import { firstLine } from "../logic/status.js";
import { ALL, makeAxis } from "../logic/timeline.js";

const WORDS = Object.entries({ "=": "same", "~": "differs", "-": "only left", "+": "only right" });
const SIDES = ["Left", "Right"];
const ID = "\\s*inv_1[0-9A-Za-z]{33}\\s*";

export function Compare() {
  const { search } = usePlace();
  const [a, b] = ["a", "b"].map((name) => (search.get(name) ?? "").trim());
  const valid = [a, b].every((id) => RegExp(`^${ID}$`).test(id));
  const field = (name = "", label = "", value = "") => html`<label class="field"><span>${label}</span>
    <input class="mono" size="40" required pattern=${ID} title="id of an invocation" ...${{ name, value }} /></label>`;
  return html`<div class="head"><h1>Compare</h1></div>
    <form class="bar" action=${address(["compare"])}>${field("a", "Left", a)}${field("b", "Right", b)}
      <button class="primary">Compare</button>
      <button type="button" onClick=${() => go(address(["compare"], { a: b, b: a }))}>Swap</button></form>
    ${valid ? html`<${Sides} key=${a + b} ids=${[a, b]} />`
      : html`<p class="empty">Two invocations, side by side: give the ids of both.</p>`}`;
}

/** @param {Props} props */
function Sides({ ids }) {
  const known = useStories([...new Set(ids)]);
  const stories = ids.map((id) => known.get(id) ?? NO_STORY);
  const absent = stories.findIndex((story) => !story.row);
  return absent < 0 ? html`<${Shown} ids=${ids} stories=${stories} />`
    : html`<${Absent} id=${ids[absent]} story=${stories[absent]} />`;
}

/** @param {Props} props */
function Shown({ ids, stories }) {
  const now = useNow();
  const [opened, setOpened] = useState("");
  const pairs = useMemo(() => pairsOf(stories[0].steps, stories[1].steps), stories);
  const seen = useWindow(pairs.length);
  const begins = stories.map(({ row }) => Date.parse(row.created_at));
  const lengths = stories.map(({ row }, side) => (millis(row.completed_at) ?? now) - begins[side]);
  const more = lengths[1] - lengths[0];
  const axis = makeAxis(0, Math.max(...lengths));
  const count = (sign = "") => pairs.filter((pair) => pair.sign === sign).length;
  const pair = pairs.find(({ key }) => key === opened);
  const timed = (/** @type {Step | null} */ step, side = 0) => step && html`<${Bar} axis=${axis} view=${ALL}
    kind=${"ab"[side]} from=${step.begin - begins[side]} to=${(step.end ?? now) - begins[side]} />`;
  const draw = (/** @type {Pair} */ { key, sign, a, b }) => html`<tr key=${key} data-sign=${sign}
      class=${opened === key ? "chosen" : ""}>
    <td><button class="plain" aria-expanded=${opened === key} onClick=${() => setOpened(opened === key ? "" : key)}>
      ${sign} ${Object.fromEntries(WORDS)[sign]}</button></td><${Side} step=${a} /><${Side} step=${b} />
    <td class="time"><div class="bars" aria-hidden="true">${timed(a, 0)}${timed(b, 1)}</div></td></tr>`;
  return html`<div class="cards">${stories.map(({ row }, side) => html`<section class="card" aria-label=${SIDES[side]}>
      <h2><bdi>${row.target}</bdi> <${StatusBadge} row=${row} /></h2>
      <p>${invocationLink(row.id)} · ${duration(lengths[side])} · ${pairs.length - count(side ? "-" : "+")} steps</p>
      ${row.completion_failure && html`<p class="failure" dir="auto">${firstLine(row.completion_failure)}</p>`}
      ${row.restarted_from === ids[1 - side] && html`<p class="soft">restarted from the other</p>`}</section>`)}</div>
    <p>${WORDS.map(([sign, word]) => html`<span class="chip" data-sign=${sign}>${sign} ${count(sign)} ${word}</span> `)}
      <span class="soft">the right one took ${duration(Math.abs(more))} ${more < 0 ? "less" : "more"}</span></p>
    <${LongTable} seen=${seen} kind="compare" rows=${pairs} draw=${draw} columns=${{ Both: "mark", Left: "half",
      "Result ": "", Right: "half", Result: "", Time: "time" }} />
    ${pair && html`<${ValueDiff} key=${opened} ids=${ids} pair=${pair} />`}`;
}

/** @param {Step[]} left @param {Step[]} right @returns {Pair[]} */
function pairsOf(left, right) {
  const [ones, others] = [left, right].map((steps) => steps.filter((step) => step.index >= 0));
  // What is written into the code of a step may differ from run to run: times and ids are not its name.
  const name = (/** @type {Step} */ { kind, code, name }) =>
    `${["sleep", "resolve", "output"].includes(kind) ? kind : code} ${name}`;
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
function Side({ step }) {
  if (!step) return html`<td class="soft">–</td><td></td>`;
  const value = step.outcome ?? step.input;
  return html`<td class=${`cut tone-${lookOf(step).tone}`}>
      <${StepName} step=${step}><span class="soft">${step.index} </span><//>
      <span class="soft"> ${took(step)}</span></td>
    <td class=${`cut ${value?.kind === "Failure" ? "failure" : ""}`} dir="auto">${value && valueLine(value)}</td>`;
}

/** @param {Props} props */
function ValueDiff({ ids, pair: { a, b } }) {
  const [one, other] = [useText(ids[0], a), useText(ids[1], b)];
  const lines = useMemo(() => one !== null && other !== null && shorten(diffLines(one, other)), [one, other]);
  const told = !lines ? "Loading…" : !lines.some(Boolean) && "The values are the same.";
  return html`<section class="card" aria-label="Difference">
    <h2>Difference of <code dir="auto">${(a ?? b)?.code}</code></h2>
    ${told ? html`<p class="soft">${told}</p>` : html`<pre class="value" dir="auto" tabindex="0">
      ${lines && lines.map((line) => (!line ? "⋯\n" : line.sign === " " ? `  ${line.text}\n`
        : html`<${line.sign === "+" ? "ins" : "del"}>${line.sign} ${line.text}<//>`))}</pre>`}</section>`;
}

/** Input and outcome of a step, null while they are being read. @param {string} id @param {Step | null} step */
function useText(id, step) {
  const wanted = [step?.input ?? null, step?.outcome ?? null];
  const parts = wanted.map((outcome) => useOutcome(id, outcome));
  if (parts.some(({ data, failure }, at) => wanted[at] && !data && !failure)) return null;
  const texts = parts.map(({ data, failure }) =>
    failure || (data?.kind === "Success" ? shown(data.value).text : data && valueLine(data)));
  return texts.filter(Boolean).join("\n");
}
