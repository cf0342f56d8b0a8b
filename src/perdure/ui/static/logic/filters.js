// @ts-check
/** Filters of the list: in the address, as a topic of the event stream, as SQL. One meaning, three spellings. */
import { LOOKS } from "./status.js";

/** @typedef {{status: string[], service: string[], handler: string[], key: string, id: string, deployment: string,
 *   caller: string, text: string, after: string, before: string}} Filters */

/** @type {Filters} */
export const NOTHING = { status: [], service: [], handler: [], key: "", id: "", deployment: "", caller: "", text: "", after: "", before: "" };

/** Columns and topic names of those that are one text. */
const TEXTS = /** @type {const} */ ([
  ["key", "key", "target_service_key"],
  ["id", "id", "id"],
  ["deployment", "deployment", "pinned_deployment_id"],
  ["caller", "caller", "invoked_by_id"],
]);

/** @param {URLSearchParams} search @returns {Filters} */
export function fromSearch(search) {
  const one = /** @param {string} name */ (name) => search.get(name) ?? "";
  return {
    status: search.getAll("status").filter((name) => name in LOOKS),
    service: search.getAll("service"),
    handler: search.getAll("handler"),
    key: one("key"), id: one("id"), deployment: one("deployment"), caller: one("caller"), text: one("text"),
    after: one("after"), before: one("before"),
  };
}

/** @param {Filters} filters */
export function toSearch(filters) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item) search.append(name, item);
  }
  return search;
}

/** @param {Filters} filters */
export function isEmpty(filters) {
  return toSearch(filters).size === 0;
}

/** @param {string} text a literal of SQL */
export function literal(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What SQL calls a look. @type {Record<string, string>} */
const LOOK_SQL = {
  succeeded: "(status = 'completed' AND completion_result = 'success')",
  cancelled: "(status = 'completed' AND completion_failure LIKE '[409%] cancelled%')",
  killed: "(status = 'completed' AND completion_failure LIKE '[409%] killed%')",
  failed: "(status = 'completed' AND completion_result = 'failure' AND completion_failure NOT LIKE '[409%] cancelled%' AND completion_failure NOT LIKE '[409%] killed%')",
};

/** The condition of SQL, `TRUE` when there is none. @param {Filters} filters */
export function toSql(filters) {
  const all = [];
  const oneOf = /** @param {string} column @param {string[]} values */ (column, values) =>
    `${column} IN (${values.map(literal).join(", ")})`;
  if (filters.status.length) {
    all.push(`(${filters.status.map((name) => LOOK_SQL[name] ?? `status = ${literal(name)}`).join(" OR ")})`);
  }
  if (filters.service.length) all.push(oneOf("target_service_name", filters.service));
  if (filters.handler.length) all.push(oneOf("target_handler_name", filters.handler));
  for (const [name, , column] of TEXTS) if (filters[name]) all.push(`${column} = ${literal(filters[name])}`);
  if (filters.after) all.push(`created_at >= ${literal(filters.after)}`);
  if (filters.before) all.push(`created_at < ${literal(filters.before)}`);
  if (filters.text) {
    const like = literal(`%${filters.text.replaceAll(/[%_\\]/g, "\\$&").toLowerCase()}%`);
    const columns = ["id", "target", "idempotency_key", "last_failure", "completion_failure"];
    all.push(`(${columns.map((column) => `lower(${column}) LIKE ${like} ESCAPE '\\'`).join(" OR ")})`);
  }
  return all.length ? all.join(" AND ") : "TRUE";
}

/** The topic of the event stream. @param {Filters} filters @param {number} limit rows of the snapshot, at most 500 */
export function toTopic(filters, limit) {
  const search = new URLSearchParams();
  const ends = filters.status.filter((name) => name in LOOK_SQL);
  for (const name of filters.status) if (!ends.includes(name)) search.append("status", name);
  if (ends.length) {
    search.append("status", "completed");
    const results = new Set(ends.map((name) => (name === "succeeded" ? "success" : "failure")));
    // A status that is open has no result: the topic is only narrowed where nothing open is asked for.
    if (ends.length === filters.status.length && results.size === 1) search.append("result", [...results][0]);
  }
  for (const service of filters.service) search.append("service", service);
  for (const handler of filters.handler) search.append("handler", handler);
  for (const [name, topic] of TEXTS) if (filters[name]) search.append(topic, filters[name]);
  if (filters.after) search.append("created_after", filters.after);
  if (filters.before) search.append("created_before", filters.before);
  if (filters.text) search.append("text", filters.text);
  search.append("limit", String(limit));
  search.append("counts", "true");
  return `invocations?${search}`;
}
