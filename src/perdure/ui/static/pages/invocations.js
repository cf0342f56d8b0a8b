// @ts-check
/** The list of invocations: live, filtered and sorted by the address. */
import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { lookCounts, useAnswer } from "../api/answer.js";
import { follow } from "../api/events.js";
import { query } from "../api/http.js";
import { useBulk } from "../components/bulk-bar.js";
import { setServerTime, useNow } from "../components/clock.js";
import { Keys } from "../components/keys.js";
import { FilterLine, StatusBar, Views } from "../components/list-filters.js";
import { COLUMNS, Rows, USUAL } from "../components/list-rows.js";
import { OperationDialog } from "../components/operation.js";
import { address, go, search as setSearch, usePlace } from "../components/router.js";
import { useSettings } from "../components/settings.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { fromSearch, matches, toSql, toTopic, withValues } from "../logic/filters.js";
import { NO_LIST, foldList, isHead, loaded, pageSql, placeFrom, settle } from "../logic/list.js";

/** Between two drawings of what changed: busy lists stay smooth, and nobody reads faster. */
const DRAW_MS = 150;
const COUNT_MS = 4000;

export function Invocations() {
  const { search } = usePlace();
  const { filters, place, columns } = useMemo(() => ({
    filters: fromSearch(search), place: placeFrom(search),
    columns: search.get("columns")?.split(" ").filter((name) => name in COLUMNS) ?? USUAL,
  }), [search.toString()]);
  const [ticked, setTicked] = useState(/** @type {Set<string>} */ (new Set()));
  const [current, setCurrent] = useState("");
  const [asked, ask] = useState(/** @type {{name: string, row: Row}?} */ (null));
  const over = useRef(false);
  const anchor = useRef("");
  const hold = () => over.current || scrollY > 40 || ticked.size > 0;
  const { list, setList, live, failure, reload } = useList(filters, place, hold);
  const times = { now: useNow(), zone: useSettings().zone };
  const chosen = filters.getAll("status");
  const condition = toSql(withValues(filters, "status", []));
  // The rows come first.
  const count = async (/** @type {AbortSignal} */ signal) => (list.loaded ? lookCounts(condition, signal) : null);
  const { data: counts } = useAnswer(count, [condition, list.loaded], COUNT_MS);
  const clear = () => setTicked(new Set());
  const bulk = useBulk({ list, ticked, filters, counts, onClear: clear });

  const goTo = (/** @type {Partial<ListView>} */ changed) => {
    const { filters: wanted, by, up, from, shown } = { filters, ...place, shown: columns, ...changed };
    const sort = up ? `${by} up` : by === "created" ? "" : by;
    const others = { sort, from, columns: shown.join() === USUAL.join() ? "" : shown.join(" ") };
    setSearch(new URLSearchParams([...wanted, ...Object.entries(others).filter(([, value]) => value)]));
  };
  const filter = (/** @type {Filters} */ wanted) => {
    clear();
    goTo({ filters: wanted, from: "" });
  };
  const toggle = (/** @type {string} */ name) =>
    filter(withValues(filters, "status", chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]));
  const sort = (/** @type {string} */ by) =>
    goTo({ by, up: place.by === by ? !place.up : by === "target" || by === "status", from: "" });
  const tick = (/** @type {string} */ id, range = false) => {
    const [first, last] = [list.order.indexOf(anchor.current), list.order.indexOf(id)].sort((a, b) => a - b);
    const ids = range && first >= 0 ? list.order.slice(first, last + 1) : [id];
    const rest = [...ticked].filter((one) => !ids.includes(one));
    anchor.current = id;
    setTicked(new Set(ticked.has(id) ? rest : [...rest, ...ids]));
  };
  const tickAll = () => setTicked(new Set(list.order.every((id) => ticked.has(id)) ? [] : list.order));
  const step = (/** @type {number} */ by) => {
    const at = Math.max(0, list.order.indexOf(current) + by);
    const id = list.order[at] ?? current;
    const box = /** @type {HTMLElement?} */ (document.querySelector(`tr[data-id="${id}"] input`));
    setCurrent(id);
    box?.scrollIntoView({ block: "nearest" });
    box?.focus();
  };
  const row = list.rows.get(current);
  const operate = (/** @type {string} */ key) => {
    const name = row && actionsFor(row).find((one) => ACTIONS[one].key === key);
    if (ticked.size) bulk.beginByKey(key);
    else if (name) ask({ name, row });
  };
  /** @type {Key[]} */
  const keys = [
    ["/", "search", () => document.getElementById("search")?.focus()],
    ["j", "next row", () => step(1)], ["k", "row before", () => step(-1)],
    ["Enter", "opens the row", () => row && go(address(["invocations", current]))],
    ["x", "ticks the row", () => row && tick(current)], ["X", "ticks up to the row", () => row && tick(current, true)],
    ["Escape", "lets the ticks go", clear], ["c", "cancel", () => operate("c")], ["p", "pause", () => operate("p")],
    ["r", "resume, retry now", () => operate("r")],
  ];
  const show = () => {
    if (isHead(place)) setList(settle(list, true));
    else reload();
    scrollTo(0, 0);
  };
  const none = place.from ? "Nothing is behind this place." : search.size ? "No invocation matches."
    : "Nothing was invoked yet, or its retention is over.";
  return html`<div class="head"><h1>Invocations</h1><${Views} search=${filters.toString()} /><span class="grow"></span>
      <span class="live tone-${live ? "ok" : "hold"}" role="status">${live ? "● live" : "◌ connecting"}</span>
      <${Columns} columns=${columns} onChange=${(shown) => goTo({ shown })} /><${Keys} keys=${keys} /></div>
    <${StatusBar} counts=${counts} chosen=${chosen} onToggle=${toggle} />
    <${FilterLine} filters=${filters} onChange=${filter} />
    ${failure && html`<p class="invalid" role="alert">${failure} <button onClick=${reload}>Ask again</button></p>`}
    ${list.held.size > 0 && html`<button class="held" onClick=${show}>${list.held.size} new ↑ show</button>`}
    ${!list.loaded && !failure && html`<p class="soft">Loading…</p>`}
    ${list.loaded && !list.order.length && html`<p class="empty">${none}</p>`}
    ${list.order.length > 0 && html`<${Rows} list=${list} columns=${columns} place=${place} times=${times} ticked=${ticked}
      current=${current} onSort=${sort} onTick=${tick} onTickAll=${tickAll} onCurrent=${setCurrent}
      onHover=${(is) => (over.current = is)} />`}
    <div class="bar">
      ${place.from && html`<button onClick=${() => goTo({ from: "" })}>↑ To the first page</button>`}
      ${list.next && html`<button onClick=${() => goTo({ from: list.next })}>Next page ↓</button>`}</div>
    ${bulk.bar}${asked && html`<${OperationDialog} key=${asked.name} ...${asked} onClose=${() => ask(null)} />`}`;
}

/**
 * The rows of a page, kept up to date. Every snapshot of the stream, the first and those after a break, makes it ask for
 * the page again. @param {Filters} filters @param {ListPlace} place @param {() => boolean} hold
 */
function useList(filters, place, hold) {
  const [list, setList] = useState(NO_LIST);
  const [live, setLive] = useState(false);
  const [failure, setFailure] = useState("");
  const [turn, setTurn] = useState(0);
  const where = `${filters} ${JSON.stringify(place)}`;
  const held = useRef(hold);
  held.current = hold;
  useEffect(() => setList(NO_LIST), [where]);
  useEffect(() => {
    let controller = new AbortController();
    let since = "";
    let asking = false;
    let timer = 0;
    /** @type {StreamMessage[]} */
    let waiting = [];
    const fold = () => {
      timer = 0;
      if (asking) return;
      const messages = waiting;
      waiting = [];
      const how = { topic: 0, head: isHead(place), since, wanted: (/** @type {Row} */ row) => matches(row, filters) };
      setList((list) => foldList(list, messages, { ...how, hold: held.current() }));
    };
    const load = async () => {
      controller.abort();
      controller = new AbortController();
      const { signal } = controller;
      asking = true;
      waiting = [];
      try {
        const rows = await query(pageSql(toSql(filters), place, since), signal);
        if (signal.aborted) return;
        setList(loaded(/** @type {any} */ (rows)));
        setFailure("");
      } catch (error) {
        if (signal.aborted) return;
        setFailure(/** @type {Error} */ (error).message);
      }
      asking = false;
      fold();
    };
    const close = follow([toTopic(filters)], {
      onState: (state) => setLive(state === "live"),
      onMessages: (messages) => {
        for (const message of messages) {
          waiting.push(message);
          if (message.event !== "snapshot") continue;
          since = message.data.now;
          setServerTime(since);
          void load();
        }
        timer ||= setTimeout(fold, DRAW_MS);
      },
    });
    return () => {
      controller.abort();
      clearTimeout(timer);
      close();
    };
  }, [where, turn]);
  return { list, setList, live, failure, reload: () => setTurn((turn) => turn + 1) };
}

/** @param {{columns: string[], onChange: (columns: string[]) => void}} props */
function Columns({ columns, onChange }) {
  const all = Object.keys(COLUMNS);
  const toggle = (/** @type {string} */ name) => onChange(all.filter((one) => (one === name) !== columns.includes(one)));
  return html`<button popovertarget="columns">Columns</button>
    <div id="columns" popover="auto" class="columns" role="group" aria-label="Columns">
      ${all.map((name) => html`<label key=${name}><input type="checkbox" checked=${columns.includes(name)}
        onChange=${() => toggle(name)} /> ${COLUMNS[name].word}</label>`)}
      <button onClick=${() => onChange(USUAL)}>As usual</button></div>`;
}
