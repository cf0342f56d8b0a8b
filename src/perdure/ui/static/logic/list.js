// @ts-check
/** The rows of the list and what becomes of them: each function gives a new value and changes nothing. */
import { literal, time } from "./filters.js";
import { lookName } from "./status.js";

/** @typedef {import("./status.js").Row} Row */
/** @typedef {import("../api/events.js").Message} Message */

/**
 * rows: by id. order: ids as they are shown. held: ids of new rows that wait until the reader asks for them. left: ids of rows that are still shown and match no more.
 * more: there are rows after these. loaded: the server has answered.
 * @typedef {{rows: Map<string, Row>, order: string[], held: string[], left: Set<string>, more: boolean, loaded: boolean}} List
 */

/** @type {List} */
export const NO_LIST = { rows: new Map(), order: [], held: [], left: new Set(), more: false, loaded: false };

/** Rows of a page. */
export const PAGE = 100;
/** Rows that are shown at the most, with those that came later. */
export const SHOWN_MAX = 200;
/** New rows that are kept while they wait; of more than these only the newest. */
export const HELD_MAX = 1000;

/** Names and SQL of what the list can be sorted by; `took` of what is open is its age at `$now`, which stays the same from page to page. @type {Record<string, {word: string, sql: string}>} */
export const SORTS = {
  created: { word: "Created", sql: "created_at" },
  modified: { word: "Modified", sql: "modified_at" },
  took: { word: "Took", sql: "extract(epoch from (coalesce(completed_at, TIMESTAMP '$now') - created_at))" },
  status: { word: "Status", sql: "status" },
  target: { word: "Target", sql: "target" },
};

/** How the list is sorted and where the page begins. from: the last row before it, `value` of what is sorted by, and its id. @typedef {{by: string, up: boolean, from: {value: string, id: string} | null}} Place */

/** @param {URLSearchParams} search @returns {Place} */
export function placeFrom(search) {
  const [by, direction] = (search.get("sort") ?? "").split(" ");
  const [value, id] = (search.get("from") ?? "").split("~");
  return { by: by in SORTS ? by : "created", up: direction === "up", from: id ? { value, id } : null };
}

/** What is in the address besides the filters. @param {Place} place @returns {[string, string][]} */
export function placeTo(place) {
  /** @type {[string, string][]} */
  const all = [];
  if (place.by !== "created" || place.up) all.push(["sort", place.up ? `${place.by} up` : place.by]);
  if (place.from) all.push(["from", `${place.from.value}~${place.from.id}`]);
  return all;
}

/** The newest come first and nothing is before them: the only place where new rows belong on top. @param {Place} place */
export function isHead(place) {
  return place.by === "created" && !place.up && !place.from;
}

/**
 * The query of one page and one row more. It goes on behind a row and counts none before it, so that the thousandth page costs what the first does.
 * @param {string} condition @param {Place} place @param {string} now
 */
export function pageSql(condition, place, now) {
  const [value, asked = now] = place.from?.value.split("@") ?? [];
  const sql = SORTS[place.by].sql.replace("$now", time(asked));
  const way = place.up ? "" : " DESC";
  let where = condition;
  if (place.from) {
    const limit = place.by === "took" ? String(Number(value)) : literal(value);
    // The first condition is the one that an index answers.
    where = `(${condition}) AND ${sql} ${place.up ? ">=" : "<="} ${limit} AND (${sql} ${place.up ? ">" : "<"} ${limit} OR id > ${literal(place.from.id)})`;
  }
  // Looking for ids alone first keeps the texts of failures out of the sorting.
  return `SELECT *, ${sql} AS sorted_by, ${literal(asked)} AS asked_at FROM sys_invocation WHERE id IN (SELECT id FROM sys_invocation WHERE ${where} ORDER BY ${sql}${way}, id LIMIT ${PAGE + 1}) ORDER BY ${sql}${way}, id`;
}

/** @param {Row[]} found rows of `pageSql` @returns {List} */
export function loaded(found) {
  const rows = found.slice(0, PAGE);
  return { ...NO_LIST, rows: new Map(rows.map((row) => [row.id, row])), order: rows.map((row) => row.id), more: found.length > PAGE, loaded: true };
}

/**
 * @param {List} list @param {Message[]} messages
 * @param {{topic: number, head: boolean, hold: boolean, since: string, wanted: (row: Row) => boolean}} how
 *   topic: whose messages count. hold: nothing may move now. since: when the page was asked for.
 * @returns {List}
 */
export function foldList(list, messages, how) {
  const rows = new Map(list.rows);
  const left = new Set(list.left);
  const fresh = new Set(list.held);
  for (const { event, data } of messages) {
    if (!data.topics?.includes(how.topic)) continue;
    if (event === "invocation") {
      const row = data.invocation;
      const known = rows.has(row.id);
      if (!how.wanted(row)) {
        if (known) {
          rows.set(row.id, row);
          left.add(row.id);
        }
        fresh.delete(row.id);
      } else if (known || (how.head ? belongs(list, rows, row) : row.created_at >= how.since)) {
        if (!known) fresh.add(row.id);
        rows.set(row.id, { ...row, sorted_by: rows.get(row.id)?.sorted_by, asked_at: rows.get(row.id)?.asked_at });
        left.delete(row.id);
      }
    } else if (event === "gone") {
      if (data.purged || rows.has(data.id)) left.add(data.id);
      fresh.delete(data.id);
    }
  }
  const next = { ...list, rows, left, held: [...fresh] };
  if (!how.hold) return settle(next, how.head);
  return { ...next, held: bounded(next.held, rows) };
}

/** A row that is not shown belongs here unless its place is on a later page. @param {List} list @param {Map<string, Row>} rows @param {Row} row */
function belongs(list, rows, row) {
  const last = rows.get(list.order[list.order.length - 1] ?? "");
  return !list.more || !last || row.created_at >= last.created_at;
}

/** @param {string[]} held @param {Map<string, Row>} rows */
function bounded(held, rows) {
  for (const id of held.slice(0, Math.max(0, held.length - HELD_MAX))) rows.delete(id);
  return held.slice(-HELD_MAX);
}

/** Shows what was held and takes away what matches no more. head: what is held has its place among the rows. @param {List} list @param {boolean} head @returns {List} */
export function settle(list, head) {
  if (!list.left.size && (!list.held.length || !head)) return list;
  const rows = new Map(list.rows);
  for (const id of list.left) rows.delete(id);
  let order = list.order.filter((id) => rows.has(id));
  let { held, more } = list;
  if (head && held.length) {
    order = [...held.filter((id) => rows.has(id)), ...order].sort((a, b) => newest(/** @type {Row} */ (rows.get(a)), /** @type {Row} */ (rows.get(b))));
    held = [];
    if (order.length > SHOWN_MAX) {
      more = true;
      for (const id of order.slice(SHOWN_MAX)) rows.delete(id);
      order = order.slice(0, SHOWN_MAX);
    }
  }
  return { ...list, rows, order, held, left: new Set(), more };
}

/** @param {Row} a @param {Row} b */
function newest(a, b) {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

/** Where the next page begins. @param {List} list @param {Place} place @returns {Place["from"]} */
export function behind(list, place) {
  const row = list.rows.get(list.order[list.order.length - 1] ?? "");
  if (!row) return null;
  const value = place.by === "created" ? row.created_at : (row.sorted_by ?? "");
  return { value: place.by === "took" ? `${value}@${row.asked_at}` : String(value), id: row.id };
}

/** How many rows have each look. @param {Iterable<Row>} rows @returns {Record<string, number>} */
export function countLooks(rows) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const row of rows) counts[lookName(row)] = (counts[lookName(row)] ?? 0) + 1;
  return counts;
}
