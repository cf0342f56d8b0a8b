// @ts-check
/** What a form makes of a JSON schema, and JSON of what was filled in. */

const DEPTH_MAX = 8;
/** @type {Record<string, SchemaField["kind"]>} */
const KINDS = { string: "text", number: "number", integer: "number" };
/** @type {Record<string, unknown>} */
const EMPTY = { string: "", integer: 0, number: 0, boolean: false, object: {} };

/** Fields for an object whose properties are all simple, else null. @param {Schema} schema @returns {SchemaField[] | null} */
export function fieldsOf(schema) {
  const object = resolved(schema, schema);
  if (object.type !== "object" || !object.properties || typeof object.additionalProperties === "object") return null;
  const fields = [];
  for (const [name, property] of Object.entries(object.properties)) {
    const field = fieldOf(name, property, object.required?.includes(name) ?? false, schema);
    if (!field) return null;
    fields.push(field);
  }
  return fields;
}

/** @param {string} name @param {Schema} property @param {boolean} required @param {Schema} root @returns {SchemaField | null} */
function fieldOf(name, property, required, root) {
  const choices = property.anyOf ?? [property.type].flat().map((type) => ({ ...property, type }));
  const given = choices.filter((/** @type {Schema} */ one) => one.type !== "null");
  const { type, enum: values } = resolved(given[0] ?? {}, root);
  const allowed = values ?? (type === "boolean" ? [false, true] : []);
  const kind = allowed.length ? "options" : KINDS[type];
  if (given.length !== 1 || !kind) return null;
  const nullable = choices.length > 1;
  const options = allowed.map((/** @type {unknown} */ value) => JSON.stringify(value));
  if (!required || nullable) options.unshift("");
  const preset = property.default ?? undefined;
  const initial = preset === undefined ? options[0] ?? "" : kind === "text" ? preset : JSON.stringify(preset);
  const about = [required ? "" : "optional", property.description].filter(Boolean).join(", ");
  return { name, kind, options, required, nullable, initial, label: about ? `${name} (${about})` : name };
}

/** JSON of the object; what is empty is left out if it may be. @param {SchemaField[]} fields @param {Record<string, string>} values */
export function jsonOf(fields, values) {
  const parts = fields.filter(({ name, required }) => required || values[name]).map(({ name, kind, nullable }) => {
    const value = values[name];
    // Numbers stay as they were typed: JavaScript would change large ones.
    const json = !value && nullable ? "null" : kind === "text" ? JSON.stringify(value) : value;
    return `${JSON.stringify(name)}: ${json}`;
  });
  return `{${parts.join(", ")}}`;
}

/** Some value of that shape. @param {Schema} schema @param {Schema} [root] @param {number} [depth] @returns {unknown} */
export function exampleOf(schema, root = schema, depth = 0) {
  if (depth > DEPTH_MAX) return null;
  const { type, default: preset, const: only, examples, enum: values, properties, items, ...one } = resolved(schema, root);
  const inner = (/** @type {Schema} */ part) => exampleOf(part, root, depth + 1);
  const told = preset ?? only ?? (examples ?? values)?.[0];
  if (told !== undefined) return told;
  const part = (one.anyOf ?? one.oneOf ?? one.allOf)?.[0];
  if (part) return inner(part);
  if (properties) return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, inner(property)]));
  if (type === "array") return items ? [inner(items)] : [];
  return EMPTY[[type].flat()[0]] ?? null;
}

/** What a reference within the schema leads to. @param {Schema} schema @param {Schema} root @returns {Schema} */
function resolved(schema, root) {
  if (!schema.$ref?.startsWith("#/")) return schema;
  return schema.$ref.slice(2).split("/").reduce((/** @type {any} */ at, /** @type {string} */ part) => at?.[part], root) ?? {};
}
