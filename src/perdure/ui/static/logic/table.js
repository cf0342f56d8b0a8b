// @ts-check

export const columnsOf = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

export const cell = (value) => (typeof value === "object" && value ? JSON.stringify(value) : String(value ?? ""));

export function toCsv(rows) {
	const columns = columnsOf(rows);
	const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
	return lines.map((line) => `${line.map(quoted).join(",")}\r\n`).join("");
}

function quoted(value) {
	const text = cell(value);
	// A spreadsheet takes a leading sign for a formula of somebody else.
	const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function placeOf(text) {
	const [, kind] = /^(inv|dp)_1[0-9A-Za-z]+$/.exec(text) ?? [];
	return kind ? [kind === "inv" ? "invocations" : "deployments", text] : null;
}
