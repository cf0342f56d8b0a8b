// @ts-check
/** One invocation: its status and why, its journal on a timeline, its remote control. */
import { html, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { serverNow, useNow } from "../components/clock.js";
import { Facts, Head } from "../components/invocation-head.js";
import { JournalTable } from "../components/journal-table.js";
import { Keys } from "../components/keys.js";
import { LIVES_MAX, useLives, useStories, useWhole } from "../components/lives.js";
import { Minimap } from "../components/minimap.js";
import { OperationDialog } from "../components/operation.js";
import { address, go, search as setSearch, usePlace } from "../components/router.js";
import { StepDetails } from "../components/step-details.js";
import { ValuePopover } from "../components/value.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { NO_LIFE } from "../logic/fold.js";
import { keptBefore } from "../logic/restart.js";
import { millis } from "../logic/time.js";
import { gapsOf, makeAxis, phases, viewFrom, viewText, zoom } from "../logic/timeline.js";

/** @typedef {import("../components/journal-table.js").Line} Line */

const QUIET = new Set(["suspended", "paused", "backing-off", "scheduled", "pending", "completed"]);

/** @param {{id: string}} props */
export function Invocation({ id }) {
  const { search } = usePlace();
  const [live, setLive] = useState(true);
  const expandedList = search.getAll("expand").slice(0, LIVES_MAX - 1);
  const lives = useLives([id, ...expandedList], live);
  const life = lives.get(id) ?? NO_LIFE;
  const { journal, missing, failure } = useWhole(id, life);
  const stories = useStories(lives, id, journal);
  if (!life.loaded) return html`<p class="soft">Loading…</p>`;
  if (!life.row) return html`<h1>Invocation</h1><p class="empty">Invocation <bdi class="mono">${id}</bdi> is not known: it never was, or its retention is over.</p>`;
  return html`<${Shown} ...${{ id, life, journal, lives, stories, live, setLive, missing, failure, search, expandedList }} />`;
}

/** @param {any} props */
function Shown({ id, life, journal, lives, stories, live, setLive, missing, failure, search, expandedList }) {
  const row = life.row;
  const open = row.status !== "completed";
  const ticking = useNow(open && live ? 250 : 5000);
  const [stopped, setStopped] = useState(0);
  const now = live ? Math.max(ticking, serverNow() - 5000) : stopped;
  // Keys may come faster than the page is drawn: where they are, and what they changed, is not asked of what was drawn last.
  const cursor = useRef(-1);
  const [moved, setMoved] = useState({ at: -1 });
  const [value, setValue] = useState(/** @type {any} */ (null));
  const [asked, ask] = useState(/** @type {string | null} */ (null));
  const fold = search.get("fold") !== "no";
  const expanded = new Set(/** @type {string[]} */ (expandedList));
  const { steps, waits } = stories.get(id);
  const lines = useMemo(() => linesOf(id, stories, expanded), [id, ...stories.values(), expandedList.join()]);
  const axis = useAxis(row, lines, now, fold);
  const view = viewFrom(search.get("zoom"));
  const chosen = search.get("step") ?? "";
  const line = lines.find((/** @type {Line} */ one) => one.key === chosen);
  const put = /** @param {string} name @param {string | string[]} value */ (name, value) => {
    const changed = new URLSearchParams(location.search);
    changed.delete(name);
    for (const one of [value].flat()) if (one) changed.append(name, one);
    setSearch(changed, { replace: true });
  };
  const setView = /** @param {any} next */ (next) => put("zoom", viewText(next));
  const expand = /** @param {string} child */ (child) => put("expand", expanded.has(child) ? expandedList.filter((/** @type {string} */ one) => one !== child) : [...expandedList, child]);
  const step = /** @param {number} by @param {(line: Line) => boolean} [fits] */ (by, fits = () => true) => {
    for (let at = cursor.current + by; at >= 0 && at < lines.length; at += by) {
      if (!fits(lines[at])) continue;
      cursor.current = at;
      setMoved({ at });
      return;
    }
  };
  const wrong = /** @param {Line} one */ (one) => one.step.state === "failed" || one.step.tries.length > 0;
  const toggleLive = () => {
    setStopped(serverNow());
    setLive(!live);
  };
  const operate = /** @param {string} key */ (key) => {
    const name = actionsFor(row).find((one) => ACTIONS[one].key === key);
    if (name) ask(name);
  };
  const current = () => /** @type {Line | undefined} */ (lines[cursor.current]);
  const closer = /** @param {number} factor */ (factor) => setView(zoom(viewFrom(new URLSearchParams(location.search).get("zoom")), factor));
  const restart = () => {
    const line = current();
    go(address(["invocations", id, "restart"], line && line.step.index > 0 && line.id === id ? { from: String(keptBefore(line.step)) } : {}));
  };
  /** @type {import("../components/keys.js").Key[]} */
  const keys = [
    ["j", "next row", () => step(1)], ["k", "row before", () => step(-1)], ["Enter", "details of the row", () => put("step", current()?.key ?? "")],
    ["Escape", "closes the details", () => put("step", "")], ["e", "steps of what the row calls, in place", () => expand(current()?.step.child ?? "")],
    ["f", "restart from the row", restart],
    ["[", "error before", () => step(-1, wrong)], ["]", "next error", () => step(1, wrong)],
    ["+", "closer", () => closer(0.5)], ["-", "further", () => closer(2)], ["0", "all of it", () => put("zoom", "")],
    ["l", "live on or off", toggleLive], ["c", "cancel", () => operate("c")], ["p", "pause", () => operate("p")], ["r", "resume, retry now", () => operate("r")],
  ];
  const raw = search.get("tab") === "json";
  const restarts = life.happenings.filter((/** @type {any} */ one) => one.event_json.includes("new_invocation_id")).length;
  const failures = Math.max(row.status === "backing-off" ? (row.retry_count ?? 0) : 0, steps.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.tries.length, 0));
  // Somebody who paused it knows more than its last failure.
  const stop = row.status === "paused" ? steps.findLast((/** @type {any} */ one) => one.operation === "pause" || one.operation === "resume") : undefined;
  return html`<${Head} row=${row} waits=${waits} now=${now} stop=${stop?.operation === "pause" ? stop : undefined} />
    <${Facts} row=${row} now=${now} restarts=${restarts} failures=${failures} />
    <div class="bar"><div role="group" aria-label="View" class="bar"><button aria-pressed=${!raw} onClick=${() => put("tab", "")}>Journal</button><button aria-pressed=${raw} onClick=${() => put("tab", "json")}>JSON</button></div>
      <span class="soft">${journalSize(journal.length, missing, failure)}</span><span class="grow"></span>
      <button class="plain" aria-pressed=${live} onClick=${toggleLive}>${live ? "● live" : "○ stopped"}</button>
      ${!raw && html`<label><input type="checkbox" checked=${fold} onChange=${() => put("fold", fold ? "no" : "")} /> fold gaps</label>`}
      <${Keys} keys=${keys} /></div>
    ${raw ? html`<pre tabindex="0" class="value raw">${JSON.stringify({ invocation: row, journal: life.journal.map(plainEntry), journal_events: life.happenings.map(plainEvent) }, null, 2)}</pre>` : html`
    <${Minimap} steps=${steps} axis=${axis} view=${view} now=${now} onView=${setView} />
    <div class=${line ? "split" : ""}>
      <${JournalTable} lines=${lines} axis=${axis} view=${view} now=${Math.min(now, axis.to)} chosen=${chosen} missing=${missing} focused=${moved} expanded=${expanded} live=${open && live}
        bandOf=${(/** @type {string} */ one) => phases(lives.get(one).row, stories.get(one).steps, millis(lives.get(one).row.created_at) ?? 0, now)}
        onChoose=${(/** @type {string} */ key) => put("step", key)} onFocus=${(/** @type {number} */ at) => (cursor.current = at)} onExpand=${expand} onValue=${(/** @type {Line} */ one, /** @type {any} */ outcome) => setValue({ line: one, outcome })} />
      ${line && html`<${StepDetails} key=${line.key} id=${line.id} step=${line.step} now=${now} closed=${lives.get(line.id).row.status === "completed"} onClose=${() => put("step", "")} />`}
    </div>`}
    ${value && html`<${ValuePopover} key=${value.line.key} id=${value.line.id} outcome=${value.outcome} title=${value.line.step.code} onClose=${() => setValue(null)} />`}
    ${asked && html`<${OperationDialog} key=${asked} row=${row} name=${asked} onClose=${() => ask(null)} />`}`;
}

/** The steps, and those of what is expanded below the ones that called it. @param {string} id @param {Map<string, any>} stories @param {Set<string>} expanded @param {number} [depth] @returns {Line[]} */
function linesOf(id, stories, expanded, depth = 0) {
  return stories.get(id).steps.flatMap((/** @type {any} */ step) => {
    const line = { key: depth ? `${id}:${step.key}` : step.key, id, step, depth };
    const opened = step.child && step.kind !== "operation" && expanded.has(step.child) && stories.get(step.child) && depth < LIVES_MAX;
    return opened ? [line, ...linesOf(step.child, stories, expanded, depth + 1)] : [line];
  });
}

/** @param {any} row @param {Line[]} lines @param {number} now @param {boolean} fold */
function useAxis(row, lines, now, fold) {
  const from = millis(row.created_at) ?? 0;
  const to = millis(row.completed_at) ?? now;
  return useMemo(() => {
    // What was done after the end has its place at the edge.
    const last = lines.reduce((most, { step }) => (step.kind === "operation" ? most : Math.max(most, step.end ?? step.begin)), to);
    return makeAxis(from, last, fold ? gapsOf(lines.map(({ step }) => step), from, last, QUIET.has(row.status)) : []);
  }, [from, to, lines, fold]);
}

/** @param {number} size @param {number} missing @param {string} failure */
function journalSize(size, missing, failure) {
  if (failure) return `The older entries could not be read: ${failure}`;
  if (missing) return `reading ${missing} older entries…`;
  return size ? `${size} entries` : "no journal: it did not begin, or was purged";
}

/** @param {any} entry */
function plainEntry({ entry_json, entry_lite_json, ...rest }) {
  return { ...rest, entry: JSON.parse(entry_json ?? entry_lite_json) };
}

/** @param {any} event */
function plainEvent({ event_json, ...rest }) {
  return { ...rest, event: JSON.parse(event_json) };
}
