// @ts-check
/** What the tables of steps share: only those of their rows are drawn that are seen. */
import { lookOf } from "../logic/journal.js";
import { bar } from "../logic/timeline.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./kit.js";

const ROW = 30;
const SPARE = 8;

/** Which of many rows are seen. @param {number} count @returns {Seen} */
export function useWindow(count) {
  const box = useRef(null);
  const [{ first, last }, set] = useState({ first: 0, last: 60 });
  const look = () => {
    const { scrollTop, clientHeight } = box.current;
    const from = Math.max(0, Math.floor(scrollTop / ROW) - SPARE);
    const to = from + Math.ceil(clientHeight / ROW) + 2 * SPARE;
    set((before) => (before.first === from && before.last === to ? before : { first: from, last: to }));
  };
  useLayoutEffect(look, [count]);
  useEffect(() => {
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  const show = (index = 0) => {
    const element = box.current;
    const [top, room] = [index * ROW, element.clientHeight - 2 * ROW];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top > element.scrollTop + room) element.scrollTop = top - room / 2;
    look();
  };
  return { box, look, show, first, last: Math.min(last, count) };
}

/** @param {Props} props */
export function LongTable({ seen: { box, look, first, last }, kind = "", columns, rows, draw, head }) {
  const names = Object.entries(columns);
  const space = (count = 0) => count > 0
    && html`<tr aria-hidden="true"><td colspan=${names.length} style=${{ height: `${count * ROW}px` }}></td></tr>`;
  const heads = names.map(([name, kind]) =>
    html`<th class=${kind}><span>${name}</span>${kind === "time" && head}</th>`);
  return html`<div class=${`tl ${kind}`} ref=${box} onScroll=${look} tabindex="0" role="region" aria-label="Steps">
    <table><thead><tr>${heads}</tr></thead>
    <tbody>${space(first)}${rows.slice(first, last).map((one, at) => draw(one, first + at))}
      ${space(rows.length - last)}</tbody></table></div>`;
}

/** @param {Props} props */
export function StepName({ step, children }) {
  const { code, name } = step;
  const { sign, word } = lookOf(step);
  return html`<span class="sign" role="img" aria-label=${word}>${sign}</span>${children}
    <code dir="auto">${code}</code> ${name && html`<bdi class="soft">${name}</bdi>`}`;
}

/** @param {Props} props */
export function Bar({ axis, view, kind, from, to = from, title }) {
  const { left, width } = bar(axis, view, from, to) ?? {};
  return width !== undefined
    && html`<i class=${kind} title=${title} style=${{ left: `${left}%`, width: `${width}%` }}></i>`;
}

/** @param {Props} props */
export function Facts({ facts, kind = "" }) {
  return html`<dl class=${`facts ${kind}`}>${Object.entries(facts).map(([name, value]) =>
    value && html`<div key=${name}><dt>${name}</dt><dd dir="auto">${value}</dd></div>`)}</dl>`;
}
