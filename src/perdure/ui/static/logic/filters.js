// @ts-check
/** Filters of the list: in the address, as a topic of the event stream, as SQL. One meaning, three spellings. */
import { LOOKS, lookName } from "./status.js";

/** @typedef {{status: string[], service: string[], handler: string[], key: string, id: string, deployment: string,
 *   caller: string, text: string, after: string, before: string, ended: string, waits: string}} Filters
 * after, before: of its creation; ended: completed since. All are times of RFC 3339. waits: `outside` for those that wait for an answer from outside. */

/** @type {Filters} */
export const NOTHING = { status: [], service: [], handler: [], key: "", id: "", deployment: "", caller: "", text: "", after: "", before: "", ended: "", waits: "" };

/** Columns and topic names of those that are one text. */
const TEXTS = /** @type {const} */ ([
  ["key", "key", "target_service_key"],
  ["id", "id", "id"],
  ["deployment", "deployment", "pinned_deployment_id"],
  ["caller", "caller", "invoked_by_id"],
]);

/** A time as SQL and the stream take it, empty when it is none. @param {string} text */
export function time(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}

/** @param {URLSearchParams} search @returns {Filters} */
export function fromSearch(search) {
  const one = /** @param {string} name */ (name) => search.get(name) ?? "";
  return {
    status: search.getAll("status").filter((name) => name in LOOKS),
    service: search.getAll("service"),
    handler: search.getAll("handler"),
    key: one("key"), id: one("id"), deployment: one("deployment"), caller: one("caller"), text: one("text"),
    after: time(one("after")), before: time(one("before")), ended: time(one("ended")), waits: one("waits") === "outside" ? "outside" : "",
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

/** The signal that a cancel is; everything waits for it, and nobody has to send it. */
const CANCEL = `"SignalIndex":1}`;
const OUTSIDE = `(status <> 'completed' AND (replace(coalesce(suspended_waiting_future_json, last_awaiting_on_future_json), '${CANCEL}', '') LIKE '%"Signal%'
  OR status = 'suspended' AND target_service_ty = 'workflow' AND target_service_key IN (SELECT service_key FROM sys_promise WHERE NOT completed AND service_name = target_service_name)))`;

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
  if (filters.ended) all.push(`completed_at >= ${literal(filters.ended)}`);
  if (filters.waits) all.push(OUTSIDE);
  if (filters.text) {
    const like = literal(`%${filters.text.replaceAll(/[%_\\]/g, "\\$&").toLowerCase()}%`);
    const columns = ["id", "target", "idempotency_key", "last_failure", "completion_failure"];
    all.push(`(${columns.map((column) => `lower(${column}) LIKE ${like} ESCAPE '\\'`).join(" OR ")})`);
  }
  return all.length ? all.join(" AND ") : "TRUE";
}

/** The topic of the event stream. @param {Filters} filters @param {number} limit rows of the snapshot, at most 500 @param {boolean} [counts] are told too */
export function toTopic(filters, limit, counts = false) {
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
  if (counts) search.append("counts", "true");
  return `invocations?${search}`;
}

/** Whether a row belongs to the filter, as far as the topic is too wide to tell. @param {Record<string, any> & import("./status.js").Row} row @param {Filters} filters */
export function matches(row, filters) {
  if (filters.status.length && !filters.status.includes(lookName(row))) return false;
  if (filters.ended && !(row.completed_at >= filters.ended)) return false;
  if (filters.waits) {
    const future = row.status === "completed" ? "" : (row.suspended_waiting_future_json ?? row.last_awaiting_on_future_json ?? "");
    return future.replaceAll(CANCEL, "").includes('"Signal') || (row.target_service_ty === "workflow" && row.status === "suspended");
  }
  return true;
}

/** @typedef {keyof Filters} Field */
/** What the fields are called. @type {Record<Field, string>} */
export const FIELDS = {
  status: "status", service: "service", handler: "handler", key: "key", id: "id", deployment: "deployment", caller: "called by",
  text: "text", after: "created after", before: "created before", ended: "completed after", waits: "waits for",
};

/** @param {Field} field @param {string} value */
export function valueWord(field, value) {
  return field === "status" ? LOOKS[value].word : field === "waits" ? "an answer from outside" : value;
}

/** The parts of a filter, one for each field that says something. @param {Filters} filters @returns {{field: Field, values: string[], words: string}[]} */
export function parts(filters) {
  return /** @type {Field[]} */ (Object.keys(FIELDS)).flatMap((field) => {
    const value = filters[field];
    const values = Array.isArray(value) ? value : value ? [value] : [];
    if (!values.length) return [];
    const verb = field === "text" ? "contains" : ["after", "before", "ended", "waits", "caller"].includes(field) ? "" : "is";
    const words = [FIELDS[field], verb, values.map((one) => valueWord(field, one)).join(" or ")].filter(Boolean).join(" ");
    return [{ field, values, words }];
  });
}

/** A filter as people say it. @param {Filters} filters */
export function inWords(filters) {
  return parts(filters).map((part) => part.words).join(" and ") || "every invocation";
}

/**
 * What somebody typed into the search field on top of the filters that are: ids are known by their beginning, `key:anna` names a field.
 * @param {string} typed @param {Filters} filters @returns {Filters}
 */
export function withTyped(typed, filters) {
  let found = { ...filters };
  const rest = typed.replaceAll(/(\w+):("[^"]*"|\S+)/g, (all, name, quoted) => {
    const value = quoted.replaceAll('"', "");
    if (!(name in NOTHING) || (name === "status" && !(value in LOOKS))) return all;
    found = withValue(found, name, value);
    return "";
  }).trim();
  if (/^inv_1\w{10,}$/.test(rest)) return { ...found, id: rest };
  if (/^dp_1\w{10,}$/.test(rest)) return { ...found, deployment: rest };
  return rest ? { ...found, text: rest } : found;
}

/** @param {Filters} filters @param {Field} field @param {string} value @returns {Filters} */
export function withValue(filters, field, value) {
  const old = filters[field];
  return fromSearch(toSearch({ ...filters, [field]: Array.isArray(old) ? [...new Set([...old, value])] : value }));
}
