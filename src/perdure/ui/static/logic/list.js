// @ts-check
/** The rows of the list, page by page. */
import { literal, time } from "./filters.js";

/** @type {List} */
export const NO_LIST = { rows: new Map(), order: [], held: 0, left: new Set(), next: "", loaded: false };
const PAGE = 100;

/** `took` of what is open is its age at `$now`. @type {Record<string, string>} */
export const SORTS = {
  created: "created_at",
  modified: "modified_at",
  took: "extract(epoch from (coalesce(completed_at, TIMESTAMP '$now') - created_at))",
  status: "status",
  target: "target",
};

/** @type {(search: URLSearchParams) => ListPlace} */
export const placeFrom = (search) => ({ sort: search.get("sort") || "created", from: search.get("from") ?? "" });

/** Goes on behind a row and counts none: the thousandth page costs what the first does. @type {PageSql} */
export const pageSql = (condition, { sort, from }, now) => {
  const [by, direction] = sort.split(" ");
  const [id, first, ...rest] = from.split("~");
  const asked = time(first || now);
  const value = by === "took" ? Number(rest[0]) : literal(rest.join("~"));
  const sql = (Object.hasOwn(SORTS, by) ? SORTS[by] : SORTS.created).replace("$now", asked);
  const order = `ORDER BY ${sql}${direction ? "" : " DESC"}, id`;
  const after = direction ? ">" : "<";
  // The first condition is the one that an index answers.
  const behind = `(${condition}) AND ${sql} ${after}= ${value} AND (${sql} ${after} ${value} OR id > ${literal(id)})`;
  // Looking for ids alone first keeps the texts of failures out of the sorting.
  return `SELECT *, ${sql} AS sorted_by, '${asked}' AS asked_at FROM sys_invocation WHERE id IN (
    SELECT id FROM sys_invocation WHERE ${id ? behind : condition} ${order} LIMIT ${PAGE + 1}) ${order}`;
};

/** @type {(found: any[]) => List} */
export const loaded = (found) => {
  const { id, asked_at, sorted_by } = found[PAGE - 1] ?? {};
  const rows = new Map(found.slice(0, PAGE).map((row) => [row.id, row]));
  const next = found.length > PAGE ? `${id}~${asked_at}~${sorted_by}` : "";
  return { ...NO_LIST, rows, order: [...rows.keys()], next, loaded: true };
};

/** Unknown ids before a known one: those that come after move nothing. @type {Between} */
const between = (ids, known) => {
  const last = ids.findLastIndex((id) => known.has(id));
  return ids.filter((id, at) => at < last && !known.has(id));
};

/** Nothing moves: new rows wait, what matches no more is struck out. @type {Unmoved} */
export const unmoved = (list, page, missing) => {
  const held = between(page.order, new Set(list.order));
  const left = page.next ? between(list.order, page.rows) : list.order.filter((id) => !page.rows.has(id));
  if (!held.length && !left.length) return page;
  const missed = (id = "") => missing.find((row) => row.id === id) ?? list.rows.get(id);
  const rows = new Map(list.order.map((id) => [id, page.rows.get(id) ?? missed(id)]));
  return { ...list, rows, left: new Set(left), held: held.length, page };
};
