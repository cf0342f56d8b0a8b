// @ts-check
/** Journal and timeline in one table. Rows are as high as each other, and only those that are seen are there. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { STATES, stateWord } from "../logic/journal.js";
import { bar, ticks } from "../logic/timeline.js";
import { duration } from "../logic/time.js";
import { Link, address } from "./router.js";
import { valueLine } from "./value.js";

/** @typedef {import("../logic/journal.js").Step} Step */
/** @typedef {import("../logic/journal.js").Outcome} Outcome */
/** key: names it in the address. id: of the invocation whose step it is. @typedef {{key: string, id: string, step: Step, depth: number}} Line */

const ROW = 30;
const SPARE = 8;

/** Which rows of many are seen. @param {number} count @param {number} [height] of a row */
export function useWindow(count, height = ROW) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [[first, last], set] = useState([0, 60]);
  const look = () => {
    if (!box.current) return;
    const from = Math.max(0, Math.floor(box.current.scrollTop / height) - SPARE);
    const to = from + Math.ceil(box.current.clientHeight / height) + 2 * SPARE;
    set((before) => (before[0] === from && before[1] === to ? before : [from, to]));
  };
  useLayoutEffect(look, [count]);
  useEffect(() => {
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  const show = /** @param {number} index */ (index) => {
    const element = box.current;
    if (!element) return;
    const [top, room] = [index * height, element.clientHeight - 2 * height];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top > element.scrollTop + room) element.scrollTop = top - room / 2;
    look();
  };
  return { box, look, show, first, last: Math.min(last, count) };
}

/** The space of rows that are not there. @param {{rows: number, columns: number}} props */
export function Spacer({ rows, columns }) {
  return rows > 0 && html`<tr class="spacer" aria-hidden="true"><td colspan=${columns} style=${{ height: `${rows * ROW}px` }}></td></tr>`;
}

/**
 * missing: entries that are still to come, before the others. focused: the row that the keyboard is to be on; each new object moves it there.
 * @param {{lines: Line[], axis: import("../logic/timeline.js").Axis, view: import("../logic/timeline.js").View, now: number, chosen: string, missing: number, focused: {at: number},
 *   expanded: Set<string>, bandOf: (id: string) => {kind: string, from: number, to: number}[], live: boolean, onChoose: (key: string) => void, onFocus: (index: number) => void,
 *   onExpand: (id: string) => void, onValue: (line: Line, outcome: Outcome) => void}} props
 */
export function JournalTable(props) {
  const { lines, axis, view, now, chosen, focused, missing } = props;
  const { box, look, show, first, last } = useWindow(lines.length);
  // The focus that follows a key tells nothing new: the next key may have been heard already.
  const following = useRef(false);
  const onFocus = /** @param {number} at */ (at) => following.current || props.onFocus(at);
  const place = lines.findIndex((line) => line.key === chosen);
  useEffect(() => {
    if (place >= 0) show(place);
  }, [chosen, place >= 0, missing]);
  useEffect(() => {
    if (focused.at < 0) return undefined;
    show(focused.at);
    const frame = requestAnimationFrame(() => {
      following.current = true;
      /** @type {HTMLElement | null | undefined} */ (box.current?.querySelector(`[data-line="${focused.at}"]`))?.focus({ preventScroll: true });
      following.current = false;
    });
    return () => cancelAnimationFrame(frame);
  }, [focused]);
  const line = bar(axis, view, now, now);
  return html`<div class="tl" ref=${box} onScroll=${look}><table>
    <thead><tr><th class="num">#</th><th>Step</th><th class="res">Result</th><th class="took right">Took</th>
      <th class="time"><span class="unseen">Timeline</span><div class="grid" aria-hidden="true">
        ${ticks(axis, view, innerWidth < 760 ? 2 : chosen ? 3 : 6).map((mark) => html`<i key=${mark.text} class=${mark.folded ? (mark.left > 90 ? "fold edge" : "fold") : ""} style=${{ left: `${mark.left}%` }}><b>${mark.text}</b></i>`)}
        ${props.live && line && html`<i class="now" style=${{ left: `${line.left}%` }}></i>`}</div></th></tr></thead>
    <tbody><${Spacer} rows=${first} columns=${5} />
      ${lines.slice(first, last).map((line, at) => html`<${Row} key=${line.key} ...${props} onFocus=${onFocus} line=${line} index=${first + at} />`)}
      <${Spacer} rows=${lines.length - last} columns=${5} /></tbody></table></div>`;
}

/** @param {any} props */
function Row({ line, index, axis, view, now, chosen, focused, expanded, bandOf, onChoose, onFocus, onExpand, onValue }) {
  const { step, depth } = /** @type {Line} */ (line);
  const { sign, tone } = STATES[step.state];
  const took = step.end === null ? now - step.begin : step.end - step.begin;
  const expands = step.child && (step.kind === "call" || step.kind === "send" || step.kind === "attach");
  const outcome = step.outcome ?? step.input;
  const text = outcome ? valueLine(outcome) : step.text;
  const outside = step.index < 0 && !step.awakeable;
  return html`<tr class=${`tone-${tone}${chosen === line.key ? " chosen" : ""}${outside ? " outside" : ""}`} aria-current=${chosen === line.key ? "true" : undefined}
      data-line=${index} data-step=${line.key} data-state=${step.state} tabindex=${index === Math.max(focused.at, 0) ? 0 : -1} onFocus=${() => onFocus(index)}
      onClick=${(/** @type {any} */ event) => event.target.closest("a, button") || onChoose(line.key)}>
    <td class="num soft">${step.index >= 0 ? step.index : ""}</td>
    <td class="cut" style=${{ paddingLeft: `${8 + depth * 18}px` }}><span class="sign" role="img" aria-label=${stateWord(step)}>${sign}</span>
      ${expands && html`<button class="plain" aria-expanded=${expanded.has(step.child)} aria-label=${`Steps of ${step.code}`} onClick=${() => onExpand(step.child)}>${expanded.has(step.child) ? "▾" : "▸"}</button>`}
      <code dir="auto">${step.code}</code>${step.name && html` <bdi class="soft">${step.name}</bdi>`}
      ${step.tries.length > 0 && step.kind !== "failure" && html` <span class="badge tone-retry">${step.tries.length} failed ${step.tries.length === 1 ? "try" : "tries"}</span>`}
      ${step.operation && html` <span class="soft">${step.who && html`by <bdi>${step.who}</bdi>`}${step.reason && html`: <bdi>${step.reason}</bdi>`}</span>`}
      ${step.child && !expands && html` <${Link} class="mono" to=${address(["invocations", step.child])}>${step.child.slice(0, 12)}…<//>`}</td>
    <td class="res cut">${text && (outcome && outcome.kind !== "failure" ? html`<button class="link mono cut" dir="auto" onClick=${() => onValue(line, outcome)}>${text}</button>`
      : html`<span dir="auto" class=${outcome || step.state === "failed" ? "failure" : "soft"}>${text}</span>`)}</td>
    <td class="took right soft nowrap">${step.kind === "life" || (step.end === step.begin && step.index < 0) ? "" : duration(Math.max(0, took))}</td>
    <td class="time"><div class="bars" aria-hidden="true"><${Bars} step=${step} band=${step.key === "created" ? bandOf(line.id) : null} axis=${axis} view=${view} now=${now} /></div></td></tr>`;
}

/** @param {any} props band: what became of the whole is drawn when it is there */
function Bars({ step, band, axis, view, now }) {
  const box = /** @param {string} kind @param {number} from @param {number} to @param {string} [word] */ (kind, from, to, word) => {
    const where = bar(axis, view, from, to);
    return where && html`<i class=${kind} title=${word} style=${{ left: `${where.left}%`, width: `${where.width}%` }}></i>`;
  };
  const dot = /** @param {string} kind @param {number} at @param {string} [word] */ (kind, at, word) => {
    const where = bar(axis, view, at, at);
    return where && html`<i class=${`dot ${kind}`} title=${word} style=${{ left: `${where.left}%` }}></i>`;
  };
  if (band) return band.map((/** @type {any} */ one) => box(`phase ${one.kind}`, one.from, one.to, `${one.kind} ${duration(one.to - one.from)}`));
  return html`${step.end !== step.begin && box(`span ${step.state}`, step.begin, step.end ?? now)}
    ${step.tries.map((/** @type {any} */ one) => dot("error", one.at, one.message))}
    ${step.end !== null && dot("", step.end)}`;
}
