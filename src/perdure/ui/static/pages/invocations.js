// @ts-check
/** The list of invocations: live, filtered and sorted by the address. */
import { html, useCallback, useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { follow } from "../api/events.js";
import { query } from "../api/http.js";
import { lookCounts, useAsked } from "../api/rows.js";
import { BulkBar } from "../components/bulk-bar.js";
import { setServerTime, useNow } from "../components/clock.js";
import { FilterLine, StatusBar, Views } from "../components/list-filters.js";
import { useListKeys } from "../components/list-keys.js";
import { COLUMNS, Rows, USUAL } from "../components/list-rows.js";
import { search as setSearch, usePlace } from "../components/router.js";
import { useSettings } from "../components/settings.js";
import { fromSearch, matches, toSearch, toSql, toTopic } from "../logic/filters.js";
import { NO_LIST, behind, foldList, isHead, loaded, pageSql, placeFrom, placeTo, settle } from "../logic/list.js";

/** @typedef {import("../logic/list.js").Place} Place */
/** @typedef {import("../logic/filters.js").Filters} Filters */

/** Between two drawings of what changed: busy lists stay smooth, and nobody reads faster. */
const DRAW_MS = 150;
const TICKS_MAX = 1000;

export function Invocations() {
  const { search } = usePlace();
  const text = search.toString();
  const filters = useMemo(() => fromSearch(search), [text]);
  const place = useMemo(() => placeFrom(search), [text]);
  const columns = useMemo(() => search.get("columns")?.split(" ").filter((name) => name in COLUMNS) ?? USUAL, [text]);
  const [ticked, setTicked] = useState(/** @type {Set<string>} */ (new Set()));
  const [current, setCurrent] = useState("");
  const over = useRef(false);
  const anchor = useRef("");
  const hold = () => over.current || scrollY > 40 || ticked.size > 0;
  const { list, setList, state, reload, failure } = useList(filters, place, hold);
  const counts = useCounts(filters, list.loaded);
  const now = useNow();
  const { zone } = useSettings();
  const head = isHead(place);

  const goTo = (/** @type {Filters} */ filters, /** @type {Place} */ place, /** @type {string[]} */ shown = columns) => {
    const all = [...toSearch(filters), ...placeTo(place)];
    if (shown.join() !== USUAL.join()) all.push(["columns", shown.join(" ")]);
    setSearch(new URLSearchParams(all));
  };
  const filter = (/** @type {Filters} */ filters) => {
    setTicked(new Set());
    goTo(filters, { ...place, from: null });
  };
  const toggle = (/** @type {string} */ name) =>
    filter({ ...filters, status: filters.status.includes(name) ? filters.status.filter((one) => one !== name) : [...filters.status, name] });
  const sort = (/** @type {string} */ by) => goTo(filters, { by, up: place.by === by ? !place.up : by === "target" || by === "status", from: null });
  const tick = (/** @type {string} */ id, /** @type {boolean} */ range) => {
    const next = new Set(ticked);
    const [a, b] = [list.order.indexOf(anchor.current), list.order.indexOf(id)];
    const ids = range && a >= 0 ? list.order.slice(Math.min(a, b), Math.max(a, b) + 1) : [id];
    const on = !ticked.has(id);
    for (const one of ids) if (!on) next.delete(one); else if (next.size < TICKS_MAX) next.add(one);
    anchor.current = id;
    setTicked(next);
  };
  // Rows that are not drawn again hold on to what they were given: it must lead to what is known now.
  const latest = useRef(tick);
  latest.current = tick;
  const onTick = useCallback((/** @type {string} */ id, /** @type {boolean} */ range) => latest.current(id, range), []);
  const tickAll = () => setTicked(list.order.every((id) => ticked.has(id)) ? new Set() : new Set(list.order));
  const dialog = useListKeys({ list, current, setCurrent, tick, ticked, clear: () => setTicked(new Set()) });
  const show = () => {
    if (head) setList((list) => settle(list, true));
    else reload();
    scrollTo(0, 0);
  };
  const older = () => goTo(filters, { ...place, from: behind(list, place) });

  return html`<div class="head"><h1>Invocations</h1><${Views} search=${toSearch(filters).toString()} /><span class="grow"></span>
      <span class=${`live tone-${state === "live" ? "ok" : "hold"}`} role="status">${state === "live" ? "● live" : "◌ connecting"}</span>
      <${Columns} columns=${columns} onChange=${(/** @type {string[]} */ shown) => goTo(filters, place, shown)} /></div>
    <${StatusBar} counts=${counts} chosen=${filters.status} onToggle=${toggle} />
    <${FilterLine} filters=${filters} onChange=${filter} />
    ${failure && html`<p class="invalid" role="alert">${failure} <button onClick=${reload}>Ask again</button></p>`}
    ${list.held.length > 0 && html`<button class="held" onClick=${show}>${list.held.length} new ↑ show</button>`}
    ${!list.loaded && !failure && html`<p class="soft">Loading…</p>`}
    ${list.loaded && list.order.length === 0 && html`<p class="empty">${place.from ? "Nothing is behind this place." : text ? "No invocation matches." : "Nothing was invoked yet, or its retention is over."}</p>`}
    ${list.order.length > 0 && html`<${Rows} list=${list} columns=${columns} place=${place} times=${{ now, zone }} ticked=${ticked} current=${current}
      onSort=${sort} onTick=${onTick} onTickAll=${tickAll} onCurrent=${setCurrent} onHover=${(/** @type {boolean} */ is) => (over.current = is)} />`}
    <div class="pager">
      ${place.from && html`<button onClick=${() => goTo(filters, { ...place, from: null })}>↑ To the first page</button>`}
      ${list.more && html`<button onClick=${older}>${place.by === "created" && !place.up ? "Older" : "Next page"} ↓</button>`}
    </div>
    <${BulkBar} list=${list} ticked=${ticked} filters=${filters} counts=${counts} onClear=${() => setTicked(new Set())} />
    ${dialog}`;
}

/**
 * The rows of a page, kept up to date. Every snapshot of the stream, the first and those after a break, makes it ask for the page again.
 * @param {Filters} filters @param {Place} place @param {() => boolean} hold
 */
function useList(filters, place, hold) {
  const [list, setList] = useState(NO_LIST);
  const [state, setState] = useState("lost");
  const [failure, setFailure] = useState("");
  const [turn, setTurn] = useState(0);
  const topic = toTopic(filters, 1);
  const where = JSON.stringify([filters, place]);
  const held = useRef(hold);
  held.current = hold;
  useEffect(() => setList(NO_LIST), [where]);
  useEffect(() => {
    const controller = new AbortController();
    let since = "";
    /** What came while the page was asked for. @type {import("../api/events.js").Message[] | null} */
    let early = null;
    /** @type {import("../api/events.js").Message[]} */
    let waiting = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const later = (/** @type {any[]} */ messages) => {
      waiting.push(...messages);
      timer ??= setTimeout(() => {
        timer = undefined;
        fold(waiting.splice(0));
      }, DRAW_MS);
    };
    const fold = (/** @type {any[]} */ messages) =>
      setList((list) => foldList(list, messages, { topic: 0, head: isHead(place), hold: held.current(), since, wanted: (row) => matches(row, filters) }));
    const ask = async () => {
      /** @type {import("../api/events.js").Message[]} */
      const mine = [];
      early = mine;
      try {
        const rows = await query(pageSql(toSql(filters), place, since), controller.signal);
        if (early !== mine) return;
        setList(loaded(/** @type {any} */ (rows)));
        setFailure("");
        fold(mine);
      } catch (error) {
        if (!controller.signal.aborted) setFailure(/** @type {Error} */ (error).message);
      }
      if (early === mine) early = null;
    };
    const close = follow([topic], {
      onState: (state) => setState(state),
      onMessages: (messages) => {
        for (const { event, data } of messages) {
          if (event !== "snapshot") continue;
          setServerTime(data.now);
          since = data.now;
          void ask();
        }
        if (early) early.push(...messages);
        else later(messages);
      },
    });
    return () => {
      controller.abort();
      clearTimeout(timer);
      close();
    };
  }, [where, turn]);
  return { list, setList, state, failure, reload: () => setTurn((turn) => turn + 1) };
}

const COUNT_MS = 4000;

/** How many match by look, whatever statuses are chosen. @param {Filters} filters @param {boolean} ready the rows come first */
function useCounts(filters, ready) {
  const [counts, setCounts] = useState(/** @type {Record<string, number> | null} */ (null));
  const condition = toSql({ ...filters, status: [] });
  useEffect(() => setCounts(null), [condition]);
  useAsked(async (signal) => void (ready && setCounts(await lookCounts(condition, signal))), COUNT_MS, [condition, ready]);
  return counts;
}

/** @param {{columns: string[], onChange: (columns: string[]) => void}} props */
function Columns({ columns, onChange }) {
  const all = Object.keys(COLUMNS);
  return html`<button popovertarget="columns">Columns</button>
    <div id="columns" popover="auto" class="columns" role="group" aria-label="Columns">${all.map((name) => html`<label key=${name}><input type="checkbox" checked=${columns.includes(name)}
      onChange=${() => onChange(all.filter((one) => (one === name) !== columns.includes(one)))} /> ${COLUMNS[name].word}</label>`)}
      <button onClick=${() => onChange(USUAL)}>As usual</button></div>`;
}

