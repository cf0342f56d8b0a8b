// @ts-check
/** The whole life in a strip; dragging chooses what the timeline shows. The keys + − 0 do the same. */
import { lookOf } from "../logic/journal.js";
import { ALL, moved, place, zoom } from "../logic/timeline.js";
import { html, useMemo, useRef } from "./kit.js";

const WIDTH = 1000;
const HEIGHT = 26;

/** @param {Props} props */
export function Minimap({ steps, axis, view, now, onView }) {
  const strip = useRef(null);
  const drag = useRef(null);
  const paths = useMemo(() => drawn(steps, axis, now), [steps, axis]);
  const { left, right } = view;
  const all = right - left === 1;
  const where = ({ clientX = 0 }) => {
    const box = strip.current.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  };
  const down = (/** @type {PointerEvent} */ event) => {
    const from = where(event);
    strip.current.setPointerCapture(event.pointerId);
    drag.current = { from, before: left, moves: !all && from > left && from < right };
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (!drag.current) return;
    const { from, before, moves } = drag.current;
    const to = where(event);
    if (moves) onView(moved(before + to - from, right - left));
    else if (Math.abs(to - from) > 0.005) onView({ left: Math.min(from, to), right: Math.max(from, to) });
  };
  const shade = (kind = "", from = 0, to = 1) => html`<rect class=${kind} x=${from * WIDTH} width=${(to - from) * WIDTH} height=${HEIGHT} />`;
  return html`<div class="minimap"><svg ref=${strip} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true"
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => (drag.current = null)} onDblClick=${() => onView(ALL)}>
      ${Object.entries(paths).map(([tone, marks]) => html`<path key=${tone} class=${`tone-${tone}`} d=${[...marks].join("")} />`)}
      ${axis.stretches.map((one) => one.folded && shade("fold", one.left, one.right))}${shade("away", 0, left)}${shade("away", right)}
    </svg><span role="group" aria-label="Zoom"><button aria-label="Closer" onClick=${() => onView(zoom(view, 0.5))}>+</button>
      <button aria-label="Further" onClick=${() => onView(zoom(view, 2))}>−</button>
      <button disabled=${all} onClick=${() => onView(ALL)}>All</button></span></div>`;
}

/** By tone; what is drawn at the same place is drawn once. @param {Step[]} steps @param {Axis} axis @param {number} now */
function drawn(steps, axis, now) {
  /** @type {Record<string, Set<string>>} */
  const marks = {};
  steps.forEach((step, at) => {
    const [x, to] = [step.begin, step.end ?? now].map((time) => Math.round(place(axis, time) * WIDTH));
    const y = Math.round((at / steps.length) * (HEIGHT - 3));
    const width = Math.max(to - x, 3);
    (marks[lookOf(step).tone] ??= new Set()).add(`M${Math.min(x, WIDTH - 3)} ${y}h${width}v2h-${width}z`);
  });
  return marks;
}
