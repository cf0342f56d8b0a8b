// @ts-check
import { literal, time } from "./filters.js";

/** @type {List} */
export const NO_LIST = { rows: new Map(), order: [], held: 0, left: new Set(), next: "", loaded: false };
const PAGE = 100;

// What is open took its age at `$now`.
export const SORTS = {
	created: "created_at",
	modified: "modified_at",
	took: "extract(epoch from (coalesce(completed_at, TIMESTAMP '$now') - created_at))",
	status: "status",
	target: "target",
};

export const placeFrom = (search) => ({ sort: search.get("sort") || "created", from: search.get("from") ?? "" });

// Counts no rows: the thousandth page costs what the first does.
export const pageSql = (condition, { sort, from }, now) => {
	const [by, direction] = sort.split(" ");
	const [id, first, ...rest] = from.split("~");
	const asked = time(first || now);
	const value = by === "took" ? Number(rest[0]) : literal(rest.join("~"));
	const sql = (Object.hasOwn(SORTS, by) ? SORTS[by] : SORTS.created).replace("$now", asked);
	const order = `ORDER BY ${sql}${direction ? "" : " DESC"}, id`;
	const after = direction ? ">" : "<";
	// An index answers the first condition.
	const behind = `(${condition}) AND ${sql} ${after}= ${value} AND (${sql} ${after} ${value} OR id > ${literal(id)})`;
	// Ids first: texts of failures stay out of the sorting.
	return `SELECT *, ${sql} AS sorted_by, '${asked}' AS asked_at FROM sys_invocation WHERE id IN (
		SELECT id FROM sys_invocation WHERE ${id ? behind : condition} ${order} LIMIT ${PAGE + 1}) ${order}`;
};

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));

export const loaded = (found) => {
	const { id, asked_at, sorted_by } = found[PAGE - 1] ?? {};
	const rows = byId(found.slice(0, PAGE));
	const next = found[PAGE] ? `${id}~${asked_at}~${sorted_by}` : "";
	return { ...NO_LIST, rows, order: [...rows.keys()], next, loaded: true };
};

// Those that come after all known ones move nothing.
const between = (ids, known) => {
	const last = ids.findLastIndex((id) => known.has(id));
	return ids.filter((id, at) => at < last && !known.has(id));
};

// Nothing moves: new rows wait, what matches no more is struck out.
export const unmoved = (list, page, missing) => {
	const held = between(page.order, new Set(list.order));
	const left = page.next ? between(list.order, page.rows) : list.order.filter((id) => !page.rows.has(id));
	if (!held.length && !left.length) return page;
	const known = byId([...list.rows.values(), ...missing, ...page.rows.values()]);
	const rows = byId(list.order.map((id) => known.get(id)));
	return { ...list, rows, left: new Set(left), held: held.length, page };
};
