// @ts-check
import { FAILED, LOOKS, OPEN } from "./status.js";

export * from "./status.js";

export const literal = (text = "") => `'${text.replaceAll("'", "''")}'`;
export const whereKey = (service, key) => `service_name = ${literal(service)} AND service_key = ${literal(key)}`;

export const time = (text = "") => (Number.isNaN(Date.parse(text)) ? "" : new Date(text).toISOString());

const FAILURE = "(status = 'completed' AND completion_result = 'failure' AND completion_failure";
const LOOK_SQL = {
	succeeded: "(status = 'completed' AND completion_result = 'success')",
	failed: `${FAILURE} NOT LIKE '[409%] cancelled%' AND completion_failure NOT LIKE '[409%] killed%')`,
	cancelled: `${FAILURE} LIKE '[409%] cancelled%')`,
	killed: `${FAILURE} LIKE '[409%] killed%')`,
};
export const lookSql = (look) => LOOK_SQL[look] ?? `status = ${literal(look)}`;

export const OF_OPEN_PROMISE = `target_service_ty = 'workflow' AND target_service_key IN (
	SELECT service_key FROM sys_promise WHERE NOT completed AND service_name = target_service_name)`;
// Everything waits for signal 1, the cancellation.
const OUTSIDE = `(status <> 'completed' AND (replace(
		coalesce(suspended_waiting_future_json, last_awaiting_on_future_json), '"SignalIndex":1}', '') LIKE '%"Signal%'
	OR status = 'suspended' AND ${OF_OPEN_PROMISE}))`;

const SEARCHED = ["id", "target", "idempotency_key", "last_failure", "completion_failure"];
const containing = ([text]) => {
	const like = literal(`%${text.replaceAll(/[%_\\]/g, "\\$&").toLowerCase()}%`);
	return `(${SEARCHED.map((column) => `lower(${column}) LIKE ${like} ESCAPE '\\'`).join(" OR ")})`;
};
export const isIn = (column, values) => `${column} IN (${values.map(literal)})`;
const equal = (word, column, many) => ({ word, many, sql: (values) => isIn(column, values) });
const moment = (word, comparison, topic) =>
	({ word, topic, moment: true, sql: ([value]) => `${comparison} ${literal(value)}` });

export const words = (named) => Object.fromEntries(Object.entries(named).map(([name, { word }]) => [name, word]));

/** @type {Record<string, Field>} */
export const FIELDS = {
	status: {
		word: "status is", many: true, choices: words(LOOKS), sql: (looks) => `(${looks.map(lookSql).join(" OR ")})`,
	},
	service: equal("service is", "target_service_name", true),
	handler: equal("handler is", "target_handler_name", true),
	key: equal("key is", "target_service_key"),
	id: equal("id is", "id"),
	deployment: equal("deployment is", "pinned_deployment_id"),
	caller: equal("called by", "invoked_by_id"),
	text: { word: "text contains", sql: containing },
	after: moment("created after", "created_at >=", "created_after"),
	before: moment("created before", "created_at <", "created_before"),
	ended: moment("completed after", "completed_at >=", ""),
	waits: { word: "waits for", choices: { outside: "an answer from outside" }, topic: "", sql: () => OUTSIDE },
};

function sensible(field, value) {
	const { choices, moment } = FIELDS[field];
	if (moment) return time(value);
	return !choices || Object.hasOwn(choices, value) ? value : "";
}

export const fromSearch = (search) =>
	new URLSearchParams(Object.entries(FIELDS).flatMap(([name, { many }]) => {
		const values = new Set(search.getAll(name).map((value) => sensible(name, value)).filter(Boolean));
		return [...values].slice(0, many ? undefined : 1).map((value) => [name, value]);
	}));

const fromPairs = (pairs) => fromSearch(new URLSearchParams(pairs));

export const filter = (values) =>
	fromPairs(Object.entries(values).flatMap(([name, all]) => [all].flat().map((one) => [name, one])));

export const withValues = (filters, field, values) =>
	fromPairs([...[...filters].filter(([name]) => name !== field), ...values.map((value) => [field, value])]);

export const withValue = (filters, field, value) =>
	withValues(filters, field, FIELDS[field].many ? [...filters.getAll(field), value] : [value]);

// Ids are known by their beginning, `key:anna` names a field.
export function withTyped(typed, filters) {
	const rest = typed.replaceAll(/(\w+):("[^"]*"|\S+)/g, (all, field, quoted) => {
		const value = quoted.replaceAll('"', "");
		if (!Object.hasOwn(FIELDS, field) || !sensible(field, value)) return all;
		filters = withValue(filters, field, value);
		return "";
	}).trim();
	const field = /^inv_1\w{10,}$/.test(rest) ? "id" : /^dp_1\w{10,}$/.test(rest) ? "deployment" : "text";
	return rest ? withValue(filters, field, rest) : filters;
}

const byField = (filters, make) => [...new Set(filters.keys())].map((field) => make(field, filters.getAll(field)));

export const toSql = (filters) =>
	byField(filters, (field, values) => FIELDS[field].sql(values)).join(" AND ") || "TRUE";

export function toTopic(filters) {
	const topic = new URLSearchParams({ limit: "1" });
	const looks = filters.getAll("status");
	if (looks[0] && looks.every((look) => FAILED.includes(look))) topic.set("result", "failure");
	for (const [field, value] of filters) {
		const name = FIELDS[field].topic ?? field;
		if (name) topic.append(name, name !== "status" || OPEN.includes(value) ? value : "completed");
	}
	return `invocations?${topic}`;
}

export const parts = (filters) => byField(filters, (field, values) => {
	const { word, choices } = FIELDS[field];
	return { field, words: `${word} ${values.map((value) => choices?.[value] ?? value).join(" or ")}` };
});
