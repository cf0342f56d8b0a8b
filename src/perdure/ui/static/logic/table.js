// @ts-check
/** Rows of a query as a table and as CSV. */

/** @param {object[]} rows */
export function columnsOf(rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

/** @param {unknown} value */
export function cell(value) {
  return typeof value === "object" && value ? JSON.stringify(value) : String(value ?? "");
}

/** RFC 4180. @param {Record<string, unknown>[]} rows */
export function toCsv(rows) {
  const columns = columnsOf(rows);
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return lines.map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
}

/** @param {unknown} value */
function quoted(value) {
  const text = cell(value);
  // A spreadsheet takes a leading sign for a formula and would compute what somebody else wrote.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Where an id leads. */
export function placeOf(text = "") {
  const [, kind] = /^(inv|dp)_1[0-9A-Za-z]+$/.exec(text) ?? [];
  return kind ? [kind === "inv" ? "invocations" : "deployments", text] : null;
}
