// @ts-check
/** The rows of the list and what becomes of them: each function gives a new value and changes nothing. */
import { literal, time } from "./filters.js";
import { lookName } from "./status.js";

/** @type {List} */
export const NO_LIST = { rows: new Map(), order: [], held: new Set(), left: new Set(), next: "", loaded: false };

const PAGE = 100;
/** Rows of a page with those that came later. */
const SHOWN_MAX = 200;
/** New rows that wait; of more than these only the newest. */
const HELD_MAX = 1000;

/** What the list can be sorted by; `took` of what is open is its age at `$now`. @type {Record<string, string>} */
export const SORTS = {
  created: "created_at",
  modified: "modified_at",
  took: "extract(epoch from (coalesce(completed_at, TIMESTAMP '$now') - created_at))",
  status: "status",
  target: "target",
};

/** @param {URLSearchParams} search @returns {ListPlace} */
export function placeFrom(search) {
  const [by, direction] = (search.get("sort") ?? "").split(" ");
  return { by: by in SORTS ? by : "created", up: direction === "up", from: search.get("from") ?? "" };
}

/** The newest come first and nothing is before them: only there new rows belong on top. @param {ListPlace} place */
export const isHead = ({ by, up, from }) => by === "created" && !up && !from;

/** Where the page behind a row begins. @param {string} id @param {string} asked @param {any} value of what is sorted by */
const behind = (id, asked, value) => `${id}~${asked}~${value}`;

/**
 * One page and a row more. It goes on behind a row and counts none before it, so that the thousandth page costs what the
 * first does; its time stays the first page's. @param {string} condition @param {ListPlace} place @param {string} now
 */
export function pageSql(condition, { by, up, from }, now) {
  const [id, asked, ...rest] = from.split("~");
  const value = rest.join("~");
  const sql = SORTS[by].replace("$now", time(asked || now));
  const order = `ORDER BY ${sql}${up ? "" : " DESC"}, id`;
  let where = condition;
  if (id) {
    const limit = by === "took" ? Number(value) : literal(value);
    const after = up ? ">" : "<";
    // The first condition is the one that an index answers.
    where = `(${condition}) AND ${sql} ${after}= ${limit} AND (${sql} ${after} ${limit} OR id > ${literal(id)})`;
  }
  // Looking for ids alone first keeps the texts of failures out of the sorting.
  return `SELECT *, ${sql} AS sorted_by, '${time(asked || now)}' AS asked_at FROM sys_invocation WHERE id IN (
    SELECT id FROM sys_invocation WHERE ${where} ${order} LIMIT ${PAGE + 1}) ${order}`;
}

/** @param {Row[]} found rows of `pageSql` @returns {List} */
export function loaded(found) {
  const rows = found.slice(0, PAGE);
  const last = rows[PAGE - 1];
  return {
    ...NO_LIST, loaded: true, rows: new Map(rows.map((row) => [row.id, row])), order: rows.map((row) => row.id),
    next: found.length > PAGE ? behind(last.id, last.asked_at, last.sorted_by) : "",
  };
}

/** @param {List} list @param {StreamMessage[]} messages @param {Fold} how @returns {List} */
export function foldList(list, messages, how) {
  const rows = new Map(list.rows);
  const left = new Set(list.left);
  const held = new Set(list.held);
  const last = list.next && rows.get(list.order.at(-1) ?? "");
  const isNew = (/** @type {Row} */ { created_at: at }) => (how.head ? !last || at >= last.created_at : at >= how.since);
  for (const { event, data } of messages) {
    if (!data.topics?.includes(how.topic)) continue;
    if (event === "gone") {
      if (data.purged || rows.has(data.id)) left.add(data.id);
      held.delete(data.id);
    }
    if (event !== "invocation") continue;
    const row = data.invocation;
    const known = rows.has(row.id);
    if (how.wanted(row)) {
      if (!known && !isNew(row)) continue;
      if (!known) held.add(row.id);
      left.delete(row.id);
    } else {
      held.delete(row.id);
      if (!known) continue;
      left.add(row.id);
    }
    rows.set(row.id, row);
  }
  const next = { ...list, rows, left, held };
  if (!how.hold) return settle(next, how.head);
  for (const id of [...held].slice(0, -HELD_MAX)) held.delete(id) && rows.delete(id);
  return next;
}

/** Shows what was held, if its place is here, and takes away what matches no more. @param {List} list @param {boolean} head */
export function settle(list, head) {
  const fresh = head ? [...list.held] : [];
  if (!list.left.size && !fresh.length) return list;
  const rows = new Map(list.rows);
  for (const id of list.left) rows.delete(id);
  const order = [...fresh, ...list.order].filter((id) => rows.has(id));
  const at = (/** @type {string} */ id) => rows.get(id)?.created_at;
  if (head) order.sort((a, b) => (at(a) === at(b) ? (a < b ? -1 : 1) : at(a) < at(b) ? 1 : -1));
  const over = order.splice(SHOWN_MAX);
  for (const id of over) rows.delete(id);
  const last = order[SHOWN_MAX - 1];
  const next = over.length ? behind(last, "", at(last)) : list.next;
  return { ...list, rows, order, next, left: new Set(), held: head ? new Set() : list.held };
}

/** How many rows have each look. @param {Row[]} rows */
export function countLooks(rows) {
  /** @type {Counts} */
  const counts = {};
  for (const row of rows) counts[lookName(row)] = (counts[lookName(row)] ?? 0) + 1;
  return counts;
}
