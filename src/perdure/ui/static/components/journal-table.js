// @ts-check
/** Journal and timeline in one table. */
import { lookOf, took } from "../logic/journal.js";
import { phases, ticks } from "../logic/timeline.js";
import { duration, html, link, useEffect, useRef } from "./kit.js";
import { Bar, LongTable, StepName, useWindow } from "./long-table.js";
import { valueLine } from "./value.js";

/** @param {Props} props */
export function JournalTable(props) {
  const { lines, axis, view, now, chosen, focused, live } = props;
  const seen = useWindow(lines.length);
  // The focus that follows a key tells nothing new: the next key may have been heard already.
  const following = useRef(false);
  const onFocus = (at = 0) => following.current || props.onFocus(at);
  const place = lines.findIndex((line) => line.key === chosen);
  useEffect(() => void (place >= 0 && seen.show(place)), [chosen, place >= 0, lines[0].story.missing]);
  useEffect(() => {
    if (focused.at < 0) return undefined;
    seen.show(focused.at);
    const frame = requestAnimationFrame(() => {
      following.current = true;
      seen.box.current?.querySelector(`[data-line="${focused.at}"]`)?.focus({ preventScroll: true });
      following.current = false;
    });
    return () => cancelAnimationFrame(frame);
  }, [focused]);
  const marks = ticks(axis, view, innerWidth < 760 ? 2 : 6).map(({ text, folded, left }) =>
    html`<i key=${text} class=${folded ? (left > 90 ? "fold edge" : "fold") : ""} style=${{ left: `${left}%` }}><b>${text}</b></i>`);
  const timeline = html`<span class="unseen">Timeline</span><div class="grid" aria-hidden="true">${marks}
    ${live && html`<${Bar} axis=${axis} view=${view} kind="now" from=${now} />`}</div>`;
  return html`<${LongTable} seen=${seen} rows=${lines}
    columns=${[["num", "#"], ["", "Step"], ["res", "Result"], ["took right", "Took"], ["time", timeline]]}
    draw=${(line, index) => html`<${Row} key=${line.key} ...${props} onFocus=${onFocus} line=${line} index=${index} />`} />`;
}

/** @param {Props} props */
function Row({ line, index, axis, view, now, chosen, focused, expanded, onChoose, onFocus, onExpand, onValue }) {
  const { step, depth, story } = line;
  const { child, who, reason, code } = step;
  const expands = child && ["call", "send", "attach"].includes(step.kind);
  const open = expanded.includes(child);
  const outcome = step.outcome ?? step.input;
  const text = outcome ? valueLine(outcome) : step.text;
  const tries = step.index < 0 ? 0 : step.tries.length;
  const current = chosen === line.key;
  const arrow = expands && html`<button class="plain" aria-expanded=${open} aria-label=${`Steps of ${code}`} onClick=${() => onExpand(child)}>${open ? "▾" : "▸"}</button>`;
  return html`<tr class=${`tone-${lookOf(step).tone} ${current ? "chosen" : ""} ${step.index < 0 && !step.awakeable ? "outside" : ""}`} aria-current=${current && "true"}
      data-line=${index} data-step=${line.key} data-state=${step.state} tabindex=${index === Math.max(focused.at, 0) ? 0 : -1}
      onFocus=${() => onFocus(index)} onClick=${(event) => event.target.closest("a, button") || onChoose(line.key)}>
    <td class="num soft">${step.index >= 0 && step.index}</td>
    <td class="cut" style=${{ paddingLeft: `${8 + depth * 18}px` }}><${StepName} step=${step}>${arrow}<//>
      ${tries > 0 && html` <span class="badge tone-retry">${tries} failed ${tries === 1 ? "try" : "tries"}</span>`}
      ${who && html` <span class="soft">by <bdi>${who}</bdi></span>`}${reason && html`<span class="soft">: <bdi>${reason}</bdi></span>`}
      ${child && !expands && link(["invocations", child], `${child.slice(0, 12)}…`, {}, { class: "mono" })}</td>
    <td class="res cut">${text && (outcome && outcome.kind !== "Failure"
      ? html`<button class="link mono cut" dir="auto" onClick=${() => onValue(line, outcome)}>${text}</button>`
      : html`<span dir="auto" class=${outcome || step.state === "failed" ? "failure" : "soft"}>${text}</span>`)}</td>
    <td class="took right soft">${took(step, now)}</td>
    <td class="time"><div class="bars" aria-hidden="true">
      ${barsOf(step, story, now).map((one) => html`<${Bar} ...${one} axis=${axis} view=${view} />`)}</div></td></tr>`;
}

/** What became of the whole is drawn where it begins. @param {Step} step @param {Story} story @param {number} now */
function barsOf({ key, begin, end, state, tries }, story, now) {
  const phase = ({ kind = "", from = 0, to = 0 }) => ({ kind: `phase ${kind}`, from, to, title: `${kind} ${duration(to - from)}` });
  if (key === "created") return phases(story, now).map(phase);
  return [
    ...(end === begin ? [] : [{ kind: `span ${state}`, from: begin, to: end ?? now }]),
    ...tries.map(({ at, message }) => ({ kind: "dot error", from: at, title: message })),
    ...(end === null ? [] : [{ kind: "dot", from: end }]),
  ];
}
