// @ts-check
import {
	ACTIONS, Keys, LOOKS, Link, ORDER, StatusBadge, actionsFor, address, clockTime, duration, fault, follow, fromSearch,
	go, html, isIn, lookCounts, lookName, millis, operationKeys, query, relative, serverNow, setSearch, shortLink, toSql,
	toTopic, useAnswer, useEffect, useMemo, useNow, usePlace, useRef, useSettings, useState, why, withValues,
} from "../components/kit.js";
import { FilterLine, StatusBar, Views } from "../components/list-filters.js";
import { OperationDialog, useBulk } from "../components/operation.js";
import { NO_LIST, SORTS, loaded, pageSql, placeFrom, unmoved } from "../logic/list.js";

// Between two drawings: nobody reads faster.
const DRAW_MS = 150;
const COUNT_MS = 4000;

const toggled = (all, chosen, one) => all.filter((each) => chosen.includes(each) !== (each === one));

const moment = (word, column) => ({
	word,
	cell(row, { now, zone }) {
		const at = millis(row[column]);
		return html`<time class="soft" title=${clockTime(at, zone, now)}>${relative(at, now)}</time>`;
	},
});
const text = (word, column) => ({ word, cell: (row) => html`<bdi class="cut">${row[column]}</bdi>` });

const COLUMNS = {
	status: { word: "Status", rising: true, cell: (row) => html`<${StatusBadge} row=${row} />` },
	target: {
		word: "Target", rising: true,
		cell: (row) => html`<${Link} class="cut" to=${address(["invocations", row.id])} title=${row.target}>
			${[row.target_service_name, row.target_service_key].map((part) =>
				part != null && html`<bdi>${part}</bdi><small>/</small>`)}<b>${row.target_handler_name}</b><//>`,
	},
	id: { word: "Invocation", cell: ({ id }) => shortLink(id) },
	why: {
		word: "Why",
		cell(row, { now }) {
			const said = why(row, now).slice(0, 1000);
			return said && html`<bdi class="cut tone-${LOOKS[lookName(row)].tone}" title=${said}>${said}</bdi>`;
		},
	},
	took: {
		word: "Took",
		cell: (row, { now }) => duration(Math.max(0, (millis(row.completed_at) ?? now) - Date.parse(row.created_at))),
	},
	created: moment("Created", "created_at"),
	modified: moment("Modified", "modified_at"),
	completed: moment("Completed", "completed_at"),
	tries: text("Tries", "retry_count"),
	key: text("Key", "target_service_key"),
	deployment: text("Deployment", "pinned_deployment_id"),
	caller: text("Called by", "invoked_by_target"),
	idempotency: text("Idempotency key", "idempotency_key"),
};
const USUAL = ["status", "target", "id", "why", "took", "created"];

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

function Rows({ list, columns, sort, times, ticked, current, onSort, onTick, onTickAll, onCurrent }) {
	// A link in a row may have led away by now.
	const idOf = (event) => event.target.closest("tr")?.dataset.id ?? "";
	const clicked = (event) => {
		onCurrent(idOf(event));
		if (event.target.type === "checkbox") onTick(idOf(event), event.shiftKey);
	};
	const head = (name) => {
		const { word, rising } = COLUMNS[name];
		const up = `${name} up`;
		const [order, arrow] = sort === name ? ["descending", "▼"] : sort === up ? ["ascending", "▲"] : [];
		const next = sort === name || (!order && rising) ? up : name;
		const button = html`<button class="link" onClick=${() => onSort(next)}>
			${word}<span aria-hidden>${arrow}</span></button>`;
		return html`<th class="col-${name}" aria-sort=${order}>${name in SORTS ? button : word}</th>`;
	};
	return html`<div class="scroll"><table class="list"><thead><tr><th class="tick">
			<input type="checkbox" aria-label="Tick all rows of this page"
				checked=${list.order.every((id) => ticked.includes(id))}
				onChange=${(event) => onTickAll(event.target.checked)} /></th>${columns.map(head)}</tr></thead>
		<tbody onClick=${clicked} onFocusIn=${(event) => onCurrent(idOf(event))}>
			${list.order.map((id) => html`<${RowLine} key=${id} row=${list.rows.get(id)} ...${{ columns, times }}
				left=${list.left.has(id)} ticked=${ticked.includes(id)} current=${current === id} />`)}</tbody></table></div>`;
}

function RowLine({ row, left, columns, times, ticked, current }) {
	// Of what is over only "… ago" moves, and by the minute.
	const isOver = times.now - Date.parse(row.completed_at) > 60000;
	const clock = isOver ? Math.floor(times.now / 60000) : times.now;
	return useMemo(() => html`<tr data-id=${row.id} title=${left ? "It does not match any more" : ""}
			class="${current ? "current" : ""} ${left ? "left" : ""} ${ticked ? "chosen" : ""}">
		<td class="tick"><input type="checkbox" name=${row.id} checked=${ticked}
			aria-label="Tick ${row.target} ${row.id}" /></td>
		${columns.map((name) => html`<td class="col-${name}">${COLUMNS[name].cell(row, times)}</td>`)}
	</tr>`, [row, left, columns.join(), clock, times.zone, ticked, current]);
}
