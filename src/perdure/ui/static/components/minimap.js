// @ts-check
/** The whole life in a strip; dragging chooses what the timeline shows. The keys + − 0 do the same. */
import { html, useMemo, useRef } from "../vendor/preact-htm.js";
import { STATES } from "../logic/journal.js";
import { ALL, moved, place, zoom } from "../logic/timeline.js";

const WIDTH = 1000;
const HEIGHT = 26;

/**
 * @param {{steps: import("../logic/journal.js").Step[], axis: import("../logic/timeline.js").Axis, view: import("../logic/timeline.js").View, now: number,
 *   onView: (view: import("../logic/timeline.js").View) => void}} props
 */
export function Minimap({ steps, axis, view, now, onView }) {
  const strip = useRef(/** @type {SVGElement | null} */ (null));
  const drag = useRef(/** @type {{from: number, left: number, moves: boolean} | null} */ (null));
  const paths = useMemo(() => drawn(steps, axis, now), [steps, axis]);
  const where = /** @param {PointerEvent} event */ (event) => {
    const box = /** @type {SVGElement} */ (strip.current).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const down = /** @param {PointerEvent} event */ (event) => {
    const from = where(event);
    /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    drag.current = { from, left: view.left, moves: view !== ALL && view.right - view.left < 1 && from > view.left && from < view.right };
  };
  const move = /** @param {PointerEvent} event */ (event) => {
    if (!drag.current) return;
    const { from, left, moves } = drag.current;
    const to = where(event);
    if (moves) onView(moved(left + to - from, view.right - view.left));
    else if (Math.abs(to - from) > 0.005) onView({ left: Math.min(from, to), right: Math.max(from, to) });
  };
  const shownAll = view.left === 0 && view.right === 1;
  return html`<div class="minimap"><svg ref=${strip} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true"
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${() => (drag.current = null)} onDblClick=${() => onView(ALL)}>
      ${Object.entries(paths).map(([tone, path]) => html`<path key=${tone} class=${`tone-${tone}`} d=${path} />`)}
      ${axis.stretches.filter((one) => one.folded).map((one) => html`<rect class="fold" x=${one.left * WIDTH} y="0" width=${(one.right - one.left) * WIDTH} height=${HEIGHT} />`)}
      ${!shownAll && html`<rect class="away" x="0" y="0" width=${view.left * WIDTH} height=${HEIGHT} /><rect class="away" x=${view.right * WIDTH} y="0" width=${(1 - view.right) * WIDTH} height=${HEIGHT} />`}
    </svg>
    <span role="group" aria-label="Zoom"><button aria-label="Closer" onClick=${() => onView(zoom(view, 0.5))}>+</button>
      <button aria-label="Further" onClick=${() => onView(zoom(view, 2))}>−</button>
      <button disabled=${shownAll} onClick=${() => onView(ALL)}>All</button></span></div>`;
}

/** One path for each tone: what is drawn at the same place is drawn once. @param {import("../logic/journal.js").Step[]} steps @param {import("../logic/timeline.js").Axis} axis @param {number} now */
function drawn(steps, axis, now) {
  /** @type {Record<string, Set<string>>} */
  const marks = {};
  steps.forEach((step, at) => {
    const [x, to] = [Math.round(place(axis, step.begin) * WIDTH), Math.round(place(axis, step.end ?? now) * WIDTH)];
    const y = Math.round((at / Math.max(steps.length, 1)) * (HEIGHT - 3));
    const { tone } = STATES[step.state];
    (marks[tone] ??= new Set()).add(`M${Math.min(x, WIDTH - 3)} ${y}h${Math.max(to - x, 3)}v2h-${Math.max(to - x, 3)}z`);
  });
  return Object.fromEntries(Object.entries(marks).map(([tone, set]) => [tone, [...set].join("")]));
}
