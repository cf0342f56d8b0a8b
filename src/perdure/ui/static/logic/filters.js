// @ts-check
/** Filters of the list: in the address, as a topic of the event stream, as SQL. One meaning, three spellings. */
import { FAILED, LOOKS, OPEN } from "./status.js";

export const literal = (text = "") => `'${text.replaceAll("'", "''")}'`;

/** Empty when it is none. */
export const time = (text = "") => (Number.isNaN(Date.parse(text)) ? "" : new Date(text).toISOString());

const FAILURE = "(status = 'completed' AND completion_result = 'failure' AND completion_failure";
/** @type {Record<string, string>} */
const LOOK_SQL = {
  succeeded: "(status = 'completed' AND completion_result = 'success')",
  failed: `${FAILURE} NOT LIKE '[409%] cancelled%' AND completion_failure NOT LIKE '[409%] killed%')`,
  cancelled: `${FAILURE} LIKE '[409%] cancelled%')`,
  killed: `${FAILURE} LIKE '[409%] killed%')`,
};
export const lookSql = (look = "") => LOOK_SQL[look] ?? `status = ${literal(look)}`;

const FUTURE = "coalesce(suspended_waiting_future_json, last_awaiting_on_future_json)";
// Signal 1 is the cancellation: everything waits for it, and nobody has to send it.
const OUTSIDE = `(status <> 'completed' AND (replace(${FUTURE}, '"SignalIndex":1}', '') LIKE '%"Signal%'
  OR status = 'suspended' AND target_service_ty = 'workflow' AND target_service_key IN (
    SELECT service_key FROM sys_promise WHERE NOT completed AND service_name = target_service_name)))`;

const SEARCHED = ["id", "target", "idempotency_key", "last_failure", "completion_failure"];
/** @type {Condition} */
const containing = ([text]) => {
  const like = literal(`%${text.replaceAll(/[%_\\]/g, "\\$&").toLowerCase()}%`);
  return `(${SEARCHED.map((column) => `lower(${column}) LIKE ${like} ESCAPE '\\'`).join(" OR ")})`;
};
/** @returns {Condition} */
const oneOf = (column = "") => (values) => `${column} IN (${values.map(literal).join(", ")})`;
/** @returns {Condition} */
const compared = (comparison = "") => ([value]) => `${comparison} ${literal(value)}`;

/** @type {Record<string, Field>} */
export const FIELDS = {
  status: {
    word: "status is", many: true, sql: (looks) => `(${looks.map(lookSql).join(" OR ")})`,
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

/** Empty when it makes no sense. */
function sensible(field = "", value = "") {
  const { choices, moment } = FIELDS[field];
  if (choices) return Object.hasOwn(choices, value) ? value : "";
  return moment ? time(value) : value;
}

/** @param {FilterValues} values */
export const filter = (values) => fromSearch(new URLSearchParams(
  Object.entries(values).flatMap(([name, all]) => [all].flat().map((one) => [name, one]))));

/** What makes sense of an address. @param {URLSearchParams} search */
export function fromSearch(search) {
  return new URLSearchParams(Object.entries(FIELDS).flatMap(([name, { many }]) => {
    const values = new Set(search.getAll(name).map((value) => sensible(name, value)).filter(Boolean));
    return [...values].slice(0, many ? undefined : 1).map((value) => [name, value]);
  }));
}

/** @type {WithValues} */
export const withValues = (filters, field, values) => fromSearch(new URLSearchParams(
  [...[...filters].filter(([name]) => name !== field), ...values.map((value) => [field, value])]));

/** @type {WithValue} */
export const withValue = (filters, field, value) =>
  withValues(filters, field, FIELDS[field].many ? [...filters.getAll(field), value] : [value]);

/** Ids are known by their beginning, `key:anna` names a field. @param {Filters} filters */
export function withTyped(typed = "", filters) {
  const rest = typed.replaceAll(/(\w+):("[^"]*"|\S+)/g, (all, field, quoted) => {
    const value = quoted.replaceAll('"', "");
    if (!Object.hasOwn(FIELDS, field) || !sensible(field, value)) return all;
    filters = withValue(filters, field, value);
    return "";
  }).trim();
  const field = /^inv_1\w{10,}$/.test(rest) ? "id" : /^dp_1\w{10,}$/.test(rest) ? "deployment" : "text";
  return rest ? withValue(filters, field, rest) : filters;
}

/** @param {Filters} filters */
export const toSql = (filters) =>
  [...new Set(filters.keys())].map((field) => FIELDS[field].sql(filters.getAll(field))).join(" AND ") || "TRUE";

/** As narrow as it can be. @param {Filters} filters */
export function toTopic(filters) {
  const topic = new URLSearchParams({ limit: "1" });
  const looks = filters.getAll("status");
  if (looks.length && looks.every((look) => FAILED.includes(look))) topic.set("result", "failure");
  for (const [field, value] of filters) {
    const name = FIELDS[field].topic ?? field;
    if (name) topic.append(name, name !== "status" || OPEN.includes(value) ? value : "completed");
  }
  return `invocations?${topic}`;
}

/** As people say it. @param {Filters} filters */
export const parts = (filters) => [...new Set(filters.keys())].map((field) => {
  const { word, choices } = FIELDS[field];
  return { field, words: `${word} ${filters.getAll(field).map((value) => choices?.[value] ?? value).join(" or ")}` };
});
