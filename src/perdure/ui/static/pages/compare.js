// @ts-check
/** Two invocations side by side: which steps they share, which values differ, how long each took. */
import { html, useMemo, useState } from "../vendor/preact-htm.js";
import { useNow } from "../components/clock.js";
import { InvocationLink } from "../components/invocation-head.js";
import { Spacer, useWindow } from "../components/journal-table.js";
import { useLives, useStories, useWhole } from "../components/lives.js";
import { address, go, usePlace } from "../components/router.js";
import { StatusBadge } from "../components/status-badge.js";
import { useBytes, valueLine } from "../components/value.js";
import { align } from "../logic/align.js";
import { diffLines, shorten } from "../logic/diff.js";
import { NO_LIFE } from "../logic/fold.js";
import { STATES, stateWord } from "../logic/journal.js";
import { shown } from "../logic/payload.js";
import { firstLine } from "../logic/status.js";
import { duration, millis } from "../logic/time.js";
import { bar, makeAxis } from "../logic/timeline.js";

/** @typedef {import("../logic/journal.js").Step} Step */
/** sign: `=` the same, `~` another value, `-` only in the first, `+` only in the second. @typedef {{a: Step | null, b: Step | null, sign: string}} Pair */

const WORDS = /** @type {Record<string, string>} */ ({ "=": "same", "~": "differs", "-": "only left", "+": "only right" });

export function Compare() {
  const { search } = usePlace();
  const [a, b] = [search.get("a") ?? "", search.get("b") ?? ""];
  return html`<div class="head"><h1>Compare</h1></div><${Ids} key=${`${a} ${b}`} a=${a} b=${b} />
    ${valid(a) && valid(b) ? html`<${Sides} key=${`${a} ${b}`} a=${a} b=${b} />` : html`<p class="empty">Two invocations, side by side: give the ids of both.</p>`}`;
}

/** @param {string} id */
function valid(id) {
  return /^inv_1[0-9A-Za-z]{33}$/.test(id);
}

/** @param {{a: string, b: string}} props */
function Ids({ a, b }) {
  const [ids, setIds] = useState([a, b]);
  const field = /** @param {number} place @param {string} word */ (place, word) => html`<label class="field"><span>${word}</span>
    <input class="mono" name=${word.toLowerCase()} size="40" required pattern="inv_1[0-9A-Za-z]{33}" title="the id of an invocation" value=${ids[place]}
      onInput=${(/** @type {any} */ event) => setIds(ids.map((id, at) => (at === place ? event.target.value.trim() : id)))} /></label>`;
  const submit = /** @param {Event} event */ (event) => {
    event.preventDefault();
    go(address(["compare"], { a: ids[0], b: ids[1] }));
  };
  return html`<form class="bar" onSubmit=${submit}>${field(0, "Left")}${field(1, "Right")}<button class="primary">Compare</button>
    <button type="button" onClick=${() => go(address(["compare"], { a: ids[1], b: ids[0] }))}>Swap</button></form>`;
}

/** @param {{a: string, b: string}} props */
function Sides({ a, b }) {
  const ids = a === b ? [a] : [a, b];
  const lives = useLives(ids);
  const [one, other] = [lives.get(a) ?? NO_LIFE, lives.get(b) ?? NO_LIFE];
  const [left, right] = [useWhole(a, one), useWhole(b, other)];
  const stories = [useStories(lives, a, left.journal).get(a), useStories(lives, b, right.journal).get(b)];
  const now = useNow();
  const pairs = useMemo(() => pairsOf(stories[0]?.steps ?? [], stories[1]?.steps ?? []), stories);
  const [opened, setOpened] = useState("");
  if (!one.loaded || !other.loaded) return html`<p class="soft">Loading…</p>`;
  const unknown = [one, other].findIndex((life) => !life.row);
  if (unknown >= 0) return html`<p class="empty">Invocation <bdi class="mono">${[a, b][unknown]}</bdi> is not known: it never was, or its retention is over.</p>`;
  const rows = /** @type {any[]} */ ([one.row, other.row]);
  const times = rows.map((row) => ({ from: millis(row.created_at) ?? 0, to: millis(row.completed_at) ?? now }));
  const axis = makeAxis(0, Math.max(...times.map(({ from, to }) => to - from)));
  const pair = pairs.find((candidate) => keyOf(candidate) === opened);
  return html`<${Totals} rows=${rows} times=${times} pairs=${pairs} />
    <${Pairs} pairs=${pairs} axis=${axis} times=${times} now=${now} opened=${opened} onOpen=${(/** @type {string} */ key) => setOpened(key === opened ? "" : key)} />
    ${pair && html`<${ValueDiff} key=${opened} a=${a} b=${b} pair=${pair} />`}`;
}

/** @param {Pair} pair */
function keyOf({ a, b }) {
  return `${a?.key ?? ""}|${b?.key ?? ""}`;
}

/** @param {Step[]} left @param {Step[]} right @returns {Pair[]} */
function pairsOf(left, right) {
  const [ones, others] = [left, right].map((steps) => steps.filter((step) => step.index >= 0));
  // What is written into the code of a step may differ from run to run: times and ids are not its name.
  const name = /** @param {Step} step */ (step) => (["sleep", "resolve", "output"].includes(step.kind) ? `${step.kind} ${step.name}` : `${step.code} ${step.name}`);
  return align(ones, others, name).map(([a, b]) => ({ a, b, sign: a && b ? (sameValue(a, b) ? "=" : "~") : a ? "-" : "+" }));
}

/** @param {Step} a @param {Step} b */
function sameValue(a, b) {
  return a.state === b.state && ["input", "outcome"].every((name) => {
    const [one, other] = /** @type {any[]} */ ([a, b]).map((step) => step[name]);
    if (!one || !other) return !one && !other;
    // What was not sent is known by its length alone.
    if (one.kind === "success" && !(one.bytes && other.bytes)) return one.kind === other.kind && one.size === other.size;
    return one.kind === other.kind && [one.bytes, one.message, one.code, one.keys].join() === [other.bytes, other.message, other.code, other.keys].join();
  });
}

/** @param {{rows: any[], times: {from: number, to: number}[], pairs: Pair[]}} props */
function Totals({ rows, times, pairs }) {
  const count = /** @param {string} sign */ (sign) => pairs.filter((pair) => pair.sign === sign).length;
  const [one, other] = times.map(({ from, to }) => to - from);
  const more = other - one;
  return html`<div class="cards">${rows.map((row, at) => html`<section class="card" key=${at} aria-label=${at ? "Right" : "Left"}><h2><bdi>${row.target}</bdi> <${StatusBadge} row=${row} /></h2>
      <p><${InvocationLink} id=${row.id} /> · ${duration(times[at].to - times[at].from)} · ${pairs.filter((pair) => (at ? pair.b : pair.a)).length} steps</p>
      ${row.completion_failure && html`<p class="failure" dir="auto">${firstLine(row.completion_failure)}</p>`}
      ${row.restarted_from && row.restarted_from === rows[1 - at].id && html`<p class="soft">restarted from the other</p>`}</section>`)}</div>
    <p class="totals">${Object.keys(WORDS).map((sign) => html`<span class="chip" key=${sign} data-sign=${sign}>${sign} ${count(sign)} ${WORDS[sign]}</span> `)}
      <span class="soft">the right one took ${duration(Math.abs(more))} ${more < 0 ? "less" : "more"}</span></p>`;
}

/** @param {any} props */
function Pairs({ pairs, axis, times, now, opened, onOpen }) {
  const { box, look, first, last } = useWindow(pairs.length);
  const bars = /** @param {Step | null} step @param {number} side */ (step, side) => {
    const where = step && bar(axis, { left: 0, right: 1 }, step.begin - times[side].from, (step.end ?? now) - times[side].from);
    return where && html`<i class=${side ? "b" : "a"} style=${{ left: `${where.left}%`, width: `${where.width}%`, "--tone": `var(--${side ? "wait" : "run"})` }}></i>`;
  };
  return html`<div class="tl compare" ref=${box} onScroll=${look}><table>
    <thead><tr><th class="mark">Both</th><th class="side-a">Left</th><th>Result</th><th class="side-b">Right</th><th>Result</th><th class="time"><span class="unseen">Time</span></th></tr></thead>
    <tbody><${Spacer} rows=${first} columns=${6} />${pairs.slice(first, last).map((/** @type {Pair} */ pair) => html`<tr key=${keyOf(pair)} data-sign=${pair.sign} class=${opened === keyOf(pair) ? "chosen" : ""}>
      <td class="mark"><button class="plain" aria-expanded=${opened === keyOf(pair)} onClick=${() => onOpen(keyOf(pair))}>${pair.sign} ${WORDS[pair.sign]}</button></td>
      <${Side} step=${pair.a} /><${Side} step=${pair.b} />
      <td class="time"><div class="bars" aria-hidden="true">${bars(pair.a, 0)}${bars(pair.b, 1)}</div></td></tr>`)}
    <${Spacer} rows=${pairs.length - last} columns=${6} /></tbody></table></div>`;
}

/** @param {{step: Step | null}} props */
function Side({ step }) {
  if (!step) return html`<td class="soft">–</td><td></td>`;
  const value = step.outcome ?? step.input;
  const took = step.end !== null && step.end > step.begin ? duration(step.end - step.begin) : "";
  return html`<td class=${`cut tone-${STATES[step.state].tone}`}><span class="sign" role="img" aria-label=${stateWord(step)}>${STATES[step.state].sign}</span>
      <span class="soft">${step.index}</span> <code dir="auto">${step.code}</code> <span class="soft">${took}</span></td>
    <td class=${`cut ${value?.kind === "failure" ? "failure" : ""}`} dir="auto">${value ? valueLine(value) : ""}</td>`;
}

/** @param {{a: string, b: string, pair: Pair}} props */
function ValueDiff({ a, b, pair }) {
  const one = useText(a, pair.a);
  const other = useText(b, pair.b);
  const lines = useMemo(() => (one === null || other === null ? null : shorten(diffLines(one, other))), [one, other]);
  return html`<section class="card" aria-label="Difference"><h2>Difference of <code dir="auto">${(pair.a ?? pair.b)?.code}</code></h2>
    ${lines === null ? html`<p class="soft">Loading…</p>` : lines.every((line) => line === null) ? html`<p class="soft">The values are the same.</p>` : html`<pre class="value diff" dir="auto" tabindex="0">
      ${lines.map((line) => (line === null ? "⋯\n" : line.sign === "+" ? html`<ins>+ ${line.text}</ins>` : line.sign === "-" ? html`<del>- ${line.text}</del>` : `  ${line.text}\n`))}</pre>`}</section>`;
}

/** Input and outcome of a step as text, null while they are being read. @param {string} id @param {Step | null} step */
function useText(id, step) {
  const input = useBytes(id, step?.input ?? null);
  const result = useBytes(id, step?.outcome ?? null);
  return useMemo(() => {
    const part = /** @param {any} outcome @param {any} got */ (outcome, got) => {
      if (!outcome) return [];
      if (outcome.kind !== "success") return [valueLine(outcome)];
      if (got.failure) return [got.failure];
      return got.bytes ? [shown(got.bytes).text] : null;
    };
    const [first, second] = [part(step?.input, input), part(step?.outcome, result)];
    return first && second ? [...first, ...second].join("\n") : null;
  }, [step, input.bytes, input.failure, result.bytes, result.failure]);
}
