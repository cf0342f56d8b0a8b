// @ts-check

const DEPTH_MAX = 8;
const BLANK = { string: "", number: 0, integer: 0, boolean: false, object: {}, array: [] };

/** @type {FieldsOf} */
export function fieldsOf(schema) {
	const { type, properties, required = [], additionalProperties } = plain(schema, schema);
	if (type !== "object" || !properties || typeof additionalProperties === "object") return null;
	const fields = Object.entries(properties).map(([name, property]) =>
		fieldOf(name, plain(property, schema), required.includes(name)));
	return fields.every((field) => field !== null) ? fields : null;
}

function fieldOf(name, { type, description, default: preset, choices, enum: values }, needed) {
	const allowed = values ?? (type === "boolean" && [false, true]);
	const kind = allowed ? "choice" : type;
	if (choices > 1 || !["choice", "string", "number", "integer"].includes(kind)) return null;
	const words = (allowed || []).map((one) => [JSON.stringify(one), String(one)]);
	const options = Object.fromEntries(needed ? words : [["", ""], ...words]);
	const known = kind === "string" ? preset : JSON.stringify(preset ?? undefined);
	const note = [!needed && "optional", description].filter(Boolean).join(", ");
	const initial = known ?? Object.keys(options)[0] ?? "";
	return { name, kind, needed, options, initial, label: name + (note && ` (${note})`) };
}

/** @type {JsonOf} */
export function jsonOf(fields, values) {
	const told = fields.filter(({ name, needed }) => needed || values[name]);
	// Numbers stay as they were typed: JavaScript would change large ones.
	const json = ({ name, kind }) => (kind === "string" ? JSON.stringify(values[name]) : values[name]);
	return `{${told.map((field) => `${JSON.stringify(field.name)}: ${json(field)}`).join(", ")}}`;
}

/** @type {ExampleOf} */
export function exampleOf(schema, root = schema, depth = 0) {
	const { type, default: preset, examples, enum: allowed, properties, items } = plain(schema, root);
	const told = preset ?? (examples ?? allowed)?.[0];
	if (told !== undefined || depth > DEPTH_MAX) return told ?? null;
	const inner = (part) => exampleOf(part, root, depth + 1);
	if (items) return [inner(items)];
	if (!properties) return BLANK[type] ?? null;
	return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inner(part)]));
}

// Without references and alternatives: the first that is not null. choices: how many of these there are.
function plain(schema, root) {
	const notNull = (one) => one !== "null" && one?.type !== "null";
	const given = [schema.anyOf ?? schema.oneOf ?? schema.allOf ?? schema].flat().filter(notNull);
	const { $ref, ...own } = given[0] ?? {};
	const found = ($ref ? $ref.slice(2).split("/").reduce((at, name) => at?.[name], root) : own) ?? {};
	const types = [found.type].flat().filter(notNull);
	const values = found.const === undefined ? found.enum : [found.const];
	return { ...schema, ...found, type: types[0], enum: values, choices: Math.max(given.length, types.length) };
}
