// @ts-check
import { follow } from "../api/events.js";
import { useBulk } from "../components/bulk-bar.js";
import { serverNow, setServerTime, useNow } from "../components/clock.js";
import { Keys } from "../components/keys.js";
import {
  address, go, html, lookCounts, query, search as setSearch, useAnswer, useEffect, useMemo, usePlace, useRef, useState,
} from "../components/kit.js";
import { FilterLine, StatusBar, Views } from "../components/list-filters.js";
import { COLUMNS, Rows, USUAL } from "../components/list-rows.js";
import { OperationDialog } from "../components/operation.js";
import { useSettings } from "../components/settings.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { fromSearch, literal, toSql, toTopic, withValues } from "../logic/filters.js";
import { NO_LIST, loaded, pageSql, placeFrom, unmoved } from "../logic/list.js";

/** Between two drawings of what changed: busy lists stay smooth, and nobody reads faster. */
const DRAW_MS = 150;
const COUNT_MS = 4000;

/** @type {Toggled} */
const toggled = (all, one) => (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]);

export function Invocations() {
  const { search } = usePlace();
  const { filters, place, shown } = useMemo(() => ({
    filters: fromSearch(search), place: placeFrom(search),
    shown: search.get("columns")?.split(" ").filter((name) => Object.hasOwn(COLUMNS, name)) ?? USUAL,
  }), [search.toString()]);
  const [ticked, setTicked] = useState(/** @type {string[]} */ ([]));
  const [current, setCurrent] = useState("");
  const [asked, ask] = useState(null);
  const over = useRef(false);
  const anchor = useRef("");
  const { list, setList, live, failure, again } =
    useList(filters, place, () => over.current || scrollY > 40 || ticked.length > 0);
  const times = { now: useNow(), zone: useSettings().zone };
  const chosen = filters.getAll("status");
  const condition = toSql(withValues(filters, "status", []));
  const { data: counts } = useAnswer(
    // The rows come first.
    async (signal) => (list.loaded ? lookCounts(condition, signal) : null), [condition, list.loaded], COUNT_MS);
  const rows = ticked.flatMap((id) => list.rows.get(id) ?? []);
  const bulk = useBulk({ rows, filters, counts, onClear: () => setTicked([]) });

  const goTo = (/** @type {Partial<ListView>} */ changed) => {
    const { sort, from, shown: names, filters: wanted } = { filters, ...place, shown, ...changed };
    const others = { sort: sort === "created" ? "" : sort, from, columns: names === USUAL ? "" : names.join(" ") };
    setSearch(new URLSearchParams([...wanted, ...Object.entries(others).filter(([, value]) => value)]));
  };
  const filter = (/** @type {Filters} */ wanted) => {
    setTicked([]);
    goTo({ filters: wanted, from: "" });
  };
  const tick = (id = "", range = false) => {
    const [first, last] = [list.order.indexOf(anchor.current), list.order.indexOf(id)].sort((a, b) => a - b);
    const ids = range && first >= 0 ? list.order.slice(first, last + 1) : [id];
    const others = ticked.filter((one) => !ids.includes(one));
    anchor.current = id;
    setTicked(ticked.includes(id) ? others : [...others, ...ids]);
  };
  const step = (by = 1) => {
    const id = list.order[Math.max(0, list.order.indexOf(current) + by)] ?? current;
    const box = /** @type {HTMLElement?} */ (document.querySelector(`tr[data-id="${id}"] input`));
    setCurrent(id);
    box?.scrollIntoView({ block: "nearest" });
    box?.focus();
  };
  const row = list.rows.get(current);
  const operate = (key = "") => {
    const name = row && actionsFor(row).find((one) => ACTIONS[one].key === key);
    if (ticked.length) bulk.beginByKey(key);
    else if (name) ask({ name, row });
  };
  /** @type {Key[]} */
  const keys = [
    ["/", "search", () => document.getElementById("search")?.focus()],
    ["j", "next row", () => step()], ["k", "row before", () => step(-1)],
    ["Enter", "opens the row", () => row && go(address(["invocations", current]))],
    ["x", "ticks the row", () => row && tick(current)], ["X", "ticks up to the row", () => row && tick(current, true)],
    ["Escape", "lets the ticks go", () => setTicked([])],
    ["c", "cancel", () => operate("c")], ["p", "pause", () => operate("p")],
    ["r", "resume, retry now", () => operate("r")],
  ];
  const show = () => {
    setList(list.page ?? list);
    scrollTo(0, 0);
  };
  return html`<div class="head"><h1>Invocations</h1><${Views} search=${filters.toString()} /><span class="grow"></span>
      <span class="live tone-${live ? "ok" : "hold"}" role="status">${live ? "● live" : "◌ connecting"}</span>
      <${Columns} shown=${shown} onChange=${(shown) => goTo({ shown })} /><${Keys} keys=${keys} /></div>
    <${StatusBar} counts=${counts} chosen=${chosen}
      onToggle=${(look) => filter(withValues(filters, "status", toggled(chosen, look)))} />
    <${FilterLine} filters=${filters} onChange=${filter} />
    ${failure && html`<p class="invalid" role="alert">${failure} <button onClick=${again}>Ask again</button></p>`}
    ${list.held > 0 && html`<button class="held" onClick=${show}>${list.held} new ↑ show</button>`}
    ${!list.loaded && !failure && html`<p class="soft">Loading…</p>`}
    ${list.loaded && !list.order.length && html`<p class="empty">
      ${search.size ? "No invocation matches." : "Nothing was invoked yet, or its retention is over."}</p>`}
    ${list.order.length > 0 && html`<${Rows} list=${list} columns=${shown} sort=${place.sort} times=${times}
      ticked=${ticked} current=${current} onTick=${tick} onTickAll=${(all) => setTicked(all ? list.order : [])}
      onSort=${(sort) => goTo({ sort, from: "" })} onCurrent=${setCurrent} onHover=${(is) => (over.current = is)} />`}
    <div class="bar">
      ${place.from && html`<button onClick=${() => goTo({ from: "" })}>↑ To the first page</button>`}
      ${list.next && html`<button onClick=${() => goTo({ from: list.next })}>Next page ↓</button>`}</div>
    ${bulk.bar}${asked && html`<${OperationDialog} key=${asked.name} ...${asked} onClose=${() => ask(null)} />`}`;
}

/** The rows of a page: the stream tells that something changed, a question what. @type {UseList} */
const useList = (filters, place, hold) => {
  const [list, setList] = useState(NO_LIST);
  const [live, setLive] = useState(false);
  const changes = useRef(0);
  const known = useRef(0);
  const where = `${filters} ${JSON.stringify(place)}`;
  useEffect(() => {
    const close = follow([toTopic(filters)], {
      onState: (state) => setLive(state === "live"),
      onMessages(messages) {
        for (const { data } of messages) if (data.now) setServerTime(data.now);
        changes.current += 1;
      },
    });
    return () => {
      close();
      known.current = changes.current;
      setList(NO_LIST);
    };
  }, [where]);
  const { failure, again } = useAnswer(async (signal) => {
    const asked = changes.current;
    if (known.current === asked) return;
    const page = loaded(await query(pageSql(toSql(filters), place, new Date(serverNow()).toISOString()), signal));
    const ids = hold() ? list.order.filter((id) => !page.rows.has(id)) : [];
    const missing = `SELECT * FROM sys_invocation WHERE id IN (${ids.map(literal).join(", ")})`;
    const rows = ids.length ? await query(missing, signal) : [];
    if (signal.aborted) return;
    setList(hold() ? unmoved(list, page, rows) : page);
    known.current = asked;
  }, [where], DRAW_MS);
  return { list, setList, live, failure, again };
};

/** @param {ColumnsProps} props */
function Columns({ shown, onChange }) {
  const all = Object.keys(COLUMNS);
  const toggle = (name = "") => onChange(all.filter((one) => toggled(shown, name).includes(one)));
  return html`<button popovertarget="columns">Columns</button>
    <div id="columns" popover="auto" class="columns" role="group" aria-label="Columns">
      ${all.map((name) => html`<label key=${name}><input type="checkbox" checked=${shown.includes(name)}
        onChange=${() => toggle(name)} /> ${COLUMNS[name].word}</label>`)}
      <button onClick=${() => onChange(USUAL)}>As usual</button></div>`;
}
