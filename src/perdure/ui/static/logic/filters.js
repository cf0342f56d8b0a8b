// @ts-check
/** Filters of the list: in the address, as a topic of the event stream, as SQL. One meaning, three spellings. */
import { LOOKS, OPEN, lookName } from "./status.js";

/** @param {string} text a literal of SQL */
export const literal = (text) => `'${text.replaceAll("'", "''")}'`;

/** As SQL and the stream take it, empty when it is no time. @param {string} text */
export function time(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? "" : new Date(at).toISOString();
}

const FAILURE = "status = 'completed' AND completion_result = 'failure' AND completion_failure";
/** @type {Record<string, string>} */
const LOOK_SQL = {
  succeeded: "(status = 'completed' AND completion_result = 'success')",
  failed: `(${FAILURE} NOT LIKE '[409%] cancelled%' AND completion_failure NOT LIKE '[409%] killed%')`,
  cancelled: `(${FAILURE} LIKE '[409%] cancelled%')`,
  killed: `(${FAILURE} LIKE '[409%] killed%')`,
};
/** What SQL calls a look. @param {string} name */
export const lookSql = (name) => LOOK_SQL[name] ?? `status = ${literal(name)}`;

/** The signal that a cancel is; everything waits for it, and nobody has to send it. */
const CANCEL = `"SignalIndex":1}`;
const FUTURE = "coalesce(suspended_waiting_future_json, last_awaiting_on_future_json)";
const OUTSIDE = `(status <> 'completed' AND (replace(${FUTURE}, '${CANCEL}', '') LIKE '%"Signal%'
  OR status = 'suspended' AND target_service_ty = 'workflow' AND target_service_key IN (
    SELECT service_key FROM sys_promise WHERE NOT completed AND service_name = target_service_name)))`;

const SEARCHED = ["id", "target", "idempotency_key", "last_failure", "completion_failure"];
/** @param {string[]} values */
function containing([text]) {
  const like = literal(`%${text.replaceAll(/[%_\\]/g, "\\$&").toLowerCase()}%`);
  return `(${SEARCHED.map((column) => `lower(${column}) LIKE ${like} ESCAPE '\\'`).join(" OR ")})`;
}

/** @param {string} column @returns {Field["sql"]} */
const oneOf = (column) => (values) => `${column} IN (${values.map(literal).join(", ")})`;
/** @param {string} comparison @returns {Field["sql"]} */
const compared = (comparison) => ([value]) => `${comparison} ${literal(value)}`;

/** @type {Record<string, Field>} */
export const FIELDS = {
  status: {
    word: "status is", many: true, topic: "", sql: (names) => `(${names.map(lookSql).join(" OR ")})`,
    choices: Object.fromEntries(Object.entries(LOOKS).map(([name, { word }]) => [name, word])),
  },
  service: { word: "service is", many: true, sql: oneOf("target_service_name") },
  handler: { word: "handler is", many: true, sql: oneOf("target_handler_name") },
  key: { word: "key is", sql: oneOf("target_service_key") },
  id: { word: "id is", sql: oneOf("id") },
  deployment: { word: "deployment is", sql: oneOf("pinned_deployment_id") },
  caller: { word: "called by", sql: oneOf("invoked_by_id") },
  text: { word: "text contains", sql: containing },
  after: { word: "created after", moment: true, topic: "created_after", sql: compared("created_at >=") },
  before: { word: "created before", moment: true, topic: "created_before", sql: compared("created_at <") },
  ended: { word: "completed after", moment: true, topic: "", sql: compared("completed_at >=") },
  waits: { word: "waits for", choices: { outside: "an answer from outside" }, topic: "", sql: () => OUTSIDE },
};

/** @param {Field} field @param {string} value */
function sensible({ choices, moment }, value) {
  if (choices) return value in choices ? value : "";
  return moment ? time(value) : value;
}

/** What makes sense of an address. @param {URLSearchParams} search @returns {Filters} */
export function fromSearch(search) {
  return new URLSearchParams(Object.entries(FIELDS).flatMap(([name, field]) => {
    const values = search.getAll(name).map((value) => sensible(field, value)).filter(Boolean);
    return [...new Set(field.many ? values : values.slice(0, 1))].map((value) => [name, value]);
  }));
}

/** @param {Record<string, string | string[]>} values */
export function filter(values) {
  return new URLSearchParams(Object.entries(values).flatMap(([name, all]) => [all].flat().map((one) => [name, one])));
}

/** The same with other values of one field. @param {Filters} filters @param {string} field @param {string[]} values */
export function withValues(filters, field, values) {
  const rest = [...filters].filter(([name]) => name !== field);
  return fromSearch(new URLSearchParams([...rest, ...values.map((value) => [field, value])]));
}

/** The same with one value more, or another. @param {Filters} filters @param {string} field @param {string} value */
export function withValue(filters, field, value) {
  return withValues(filters, field, FIELDS[field].many ? [...filters.getAll(field), value] : [value]);
}

/**
 * What somebody typed into the search field, on top of the filters that are: ids are known by their beginning,
 * `key:anna` names a field. @param {string} typed @param {Filters} filters
 */
export function withTyped(typed, filters) {
  let found = filters;
  const rest = typed.replaceAll(/(\w+):("[^"]*"|\S+)/g, (all, name, quoted) => {
    const value = quoted.replaceAll('"', "");
    if (!(name in FIELDS) || !sensible(FIELDS[name], value)) return all;
    found = withValue(found, name, value);
    return "";
  }).trim();
  const field = /^inv_1\w{10,}$/.test(rest) ? "id" : /^dp_1\w{10,}$/.test(rest) ? "deployment" : "text";
  return rest ? withValue(found, field, rest) : found;
}

/** The condition of SQL. @param {Filters} filters */
export function toSql(filters) {
  const fields = Object.entries(FIELDS).filter(([name]) => filters.has(name));
  return fields.map(([name, { sql }]) => sql(filters.getAll(name))).join(" AND ") || "TRUE";
}

/** The topic of the event stream: as narrow as it can be. @param {Filters} filters */
export function toTopic(filters) {
  const topic = new URLSearchParams({ limit: "1" });
  const looks = filters.getAll("status").map((name) => {
    if (OPEN.includes(name)) return { status: name };
    return { status: "completed", result: name === "succeeded" ? "success" : "failure" };
  });
  for (const status of new Set(looks.map((look) => look.status))) topic.append("status", status);
  const [result, ...others] = new Set(looks.map((look) => look.result));
  if (result && !others.length) topic.append("result", result);
  for (const [name, value] of filters) {
    const known = FIELDS[name].topic ?? name;
    if (known) topic.append(known, value);
  }
  return `invocations?${topic}`;
}

/** Whether a row belongs to the filter, as far as the topic is too wide to tell. @param {Row} row @param {Filters} filters */
export function matches(row, filters) {
  const [looks, ended] = [filters.getAll("status"), filters.get("ended")];
  if (looks.length && !looks.includes(lookName(row))) return false;
  if (ended && !(row.completed_at >= ended)) return false;
  if (!filters.has("waits") || row.status === "completed") return !filters.has("waits");
  const future = row.suspended_waiting_future_json ?? row.last_awaiting_on_future_json ?? "";
  const promise = row.status === "suspended" && row.target_service_ty === "workflow";
  return promise || future.replaceAll(CANCEL, "").includes('"Signal');
}

/** What is filtered, field by field, as people say it. @param {Filters} filters @returns {FilterPart[]} */
export function parts(filters) {
  return [...new Set(filters.keys())].map((field) => {
    const { word, choices } = FIELDS[field];
    return { field, words: `${word} ${filters.getAll(field).map((value) => choices?.[value] ?? value).join(" or ")}` };
  });
}

/** @param {Filters} filters */
export function inWords(filters) {
  return parts(filters).map(({ words }) => words).join(" and ") || "every invocation";
}
