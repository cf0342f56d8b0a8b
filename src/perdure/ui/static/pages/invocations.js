// @ts-check
import { useBulk } from "../components/bulk.js";
import { Keys, operationKeys } from "../components/keys.js";
import {
	ORDER, address, fault, follow, fromSearch, go, html, isIn, lookCounts, query, search as setSearch, serverNow, toSql,
	toTopic, useAnswer, useEffect, useNow, usePlace, useRef, useSettings, useState, withValues,
} from "../components/kit.js";
import { FilterLine, StatusBar, Views } from "../components/list-filters.js";
import { COLUMNS, Rows, USUAL } from "../components/list-rows.js";
import { OperationDialog } from "../components/operation.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { NO_LIST, loaded, pageSql, placeFrom, unmoved } from "../logic/list.js";

// Between two drawings: nobody reads faster.
const DRAW_MS = 150;
const COUNT_MS = 4000;

const toggled = (all, chosen, one) => all.filter((each) => chosen.includes(each) !== (each === one));

export function Invocations() {
	const { search } = usePlace();
	const filters = fromSearch(search);
	const place = placeFrom(search);
	const columns = search.get("columns")?.split(" ").filter((name) => Object.hasOwn(COLUMNS, name)) ?? USUAL;
	const [ticked, setTicked] = useState([]);
	const [current, setCurrent] = useState("");
	const [asked, ask] = useState(null);
	const anchor = useRef("");
	const { list, setList, live, failure, again } =
		useList(filters, place, () => document.querySelector(".list:hover") || scrollY > 40 || ticked.length);
	const times = { now: useNow(), ...useSettings() };
	const chosen = filters.getAll("status");
	const condition = toSql(withValues(filters, "status", []));
	// The rows come first.
	const count = async (signal) => list.loaded && lookCounts(condition, signal);
	const { data: counts } = useAnswer(count, [condition, list.loaded], COUNT_MS);
	const rows = ticked.flatMap((id) => list.rows.get(id) ?? []);
	const clear = () => setTicked([]);
	const bulk = useBulk({ rows, filters, counts, onClear: clear });

	const goTo = (changed, wanted = filters) => {
		const others = ["sort", "from", "columns"].map((name) => [name, changed[name] ?? search.get(name)]);
		setSearch(new URLSearchParams([...wanted, ...others.filter(([, value]) => value)]));
	};
	const filter = (wanted) => (clear(), goTo({ from: "" }, wanted));
	const tick = (id, range) => {
		const [first, last] = [anchor.current, id].map((one) => list.order.indexOf(one)).sort((a, b) => a - b);
		const ids = range && first >= 0 ? list.order.slice(first, last + 1) : [id];
		const others = ticked.filter((one) => !ids.includes(one));
		anchor.current = id;
		setTicked(ticked.includes(id) ? others : [...others, ...ids]);
	};
	const step = (by) => {
		const id = list.order[Math.max(0, list.order.indexOf(current) + by)] ?? current;
		setCurrent(id);
		document.getElementsByName(id)[0]?.focus();
	};
	const row = list.rows.get(current);
	const operate = (key) => {
		const name = row && actionsFor(row).find((one) => ACTIONS[one].key === key);
		if (ticked.length) bulk.beginByKey(key);
		else if (name) ask({ name, row });
	};
	const keys = [
		["/", "search", () => document.getElementById("search")?.focus()],
		["j", "next row", () => step(1)], ["k", "row before", () => step(-1)],
		["Enter", "opens the row", () => row && go(address(["invocations", current]))],
		["x", "ticks the row", () => row && tick(current)], ["X", "ticks up to the row", () => row && tick(current, true)],
		["Escape", "lets the ticks go", clear],
		...operationKeys(operate),
	];
	const show = () => (setList(list.page), scrollTo(0, 0));
	const shown = {
		list, columns, times, ticked, current, sort: place.sort, onTick: tick, onCurrent: setCurrent,
		onTickAll: (all) => setTicked(all ? list.order : []), onSort: (sort) => goTo({ sort, from: "" }),
	};
	return html`<div class="head"><h1>Invocations</h1><${Views} search=${filters.toString()} /><i class="grow" />
			<span class="badge tone-${live ? "ok" : "hold"}" role="status">${live ? "● live" : "◌ connecting"}</span>
			<${Columns} shown=${columns} onChange=${(names) => goTo({ columns: names.join(" ") })} />
			<${Keys} keys=${keys} /></div>
		<${StatusBar} counts=${counts} chosen=${chosen}
			onToggle=${(look) => filter(withValues(filters, "status", toggled(ORDER, chosen, look)))} />
		<${FilterLine} filters=${filters} onChange=${filter} />
		${fault(failure && html`${failure} <button onClick=${again}>Ask again</button>`)}
		${list.held > 0 && html`<button class="held" onClick=${show}>${list.held} new ↑ show</button>`}
		${list.order[0] ? html`<${Rows} ...${shown} />` : list.loaded ? html`<p class="empty">
			${search.size ? "No invocation matches." : "Nothing was invoked yet, or its retention is over."}</p>`
			: !failure && html`<p class="soft">Loading…</p>`}
		<div class="bar">
			${place.from && html`<button onClick=${() => goTo({ from: "" })}>↑ To the first page</button>`}
			${list.next && html`<button onClick=${() => goTo({ from: list.next })}>Next page ↓</button>`}</div>
		${bulk.bar}${asked && html`<${OperationDialog} ...${asked} onClose=${() => ask(null)} />`}`;
}

// The stream tells that something changed, a question what. hold: nothing may move now.
const useList = (filters, place, hold) => {
	const [list, setList] = useState(NO_LIST);
	const [live, setLive] = useState(false);
	const changes = useRef(0);
	const known = useRef(0);
	const where = `${filters} ${place.sort} ${place.from}`;
	useEffect(() => {
		const close = follow([toTopic(filters)], {
			onState: (state) => setLive(state === "live"),
			onMessages: () => (changes.current += 1),
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
		const rows = ids[0] ? await query(`SELECT * FROM sys_invocation WHERE ${isIn("id", ids)}`, signal) : [];
		if (signal.aborted) return;
		setList(hold() ? unmoved(list, page, rows) : page);
		known.current = asked;
	}, [where], DRAW_MS);
	return { list, setList, live, failure, again };
};

function Columns({ shown, onChange }) {
	const all = Object.keys(COLUMNS);
	return html`<button popovertarget="columns">Columns</button>
		<div id="columns" popover="auto" role="group" aria-label="Columns">
			${all.map((name) => html`<label><input type="checkbox" checked=${shown.includes(name)}
				onChange=${() => onChange(toggled(all, shown, name))} /> ${COLUMNS[name].word}</label>`)}
			<button onClick=${() => onChange([])}>As usual</button></div>`;
}
