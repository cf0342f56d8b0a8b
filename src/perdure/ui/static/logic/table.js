// @ts-check
/** Rows of a query as a table and as CSV. */

/** Names of all columns, in the order in which rows have them. @param {Record<string, unknown>[]} rows */
export function columnsOf(rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** What a cell shows. @param {unknown} value */
export function cell(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** RFC 4180, with a header. @param {Record<string, unknown>[]} rows */
export function toCsv(rows) {
  const columns = columnsOf(rows);
  const line = /** @param {unknown[]} values */ (values) => values.map(quoted).join(",");
  return [line(columns), ...rows.map((row) => line(columns.map((name) => row[name])))].map((text) => `${text}\r\n`).join("");
}

/** @param {unknown} value */
function quoted(value) {
  const text = cell(value);
  // A spreadsheet takes a leading sign for a formula and would compute what somebody else wrote.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const PLACES = /** @type {const} */ ({ inv: "invocations", dp: "deployments" });

/** Where an id leads, or null. @param {string} text @returns {string[] | null} */
export function placeOf(text) {
  const found = /^(inv|dp)_1[0-9A-Za-z]+$/.exec(text);
  return found ? [PLACES[/** @type {"inv" | "dp"} */ (found[1])], text] : null;
}
