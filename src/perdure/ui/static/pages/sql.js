// @ts-check
import {
	change, fault, heading, html, idLink, oneLine, query, save, setSearch, table, useEffect, usePlace, useSettings,
	useState,
} from "../components/kit.js";
import { cell, columnsOf, placeOf, toCsv } from "../logic/table.js";

const PRESETS = {
	"Not completed": `SELECT id, target, status, created_at, retry_count, last_failure
FROM sys_invocation
WHERE status != 'completed'
ORDER BY created_at
LIMIT 100`,
	"Failing the longest": `SELECT id, target, retry_count, last_failure
FROM sys_invocation
WHERE status = 'backing-off'
ORDER BY retry_count DESC
LIMIT 50`,
	"By service and status": `SELECT target_service_name, status, count(*)
FROM sys_invocation
GROUP BY 1, 2
ORDER BY 3 DESC`,
	"Failed in the last hour": `SELECT id, target, completed_at, completion_failure
FROM sys_invocation
WHERE completion_result = 'failure' AND completed_at > now() - INTERVAL '1 hour'
ORDER BY completed_at DESC
LIMIT 100`,
	"Keys with a queue": `SELECT service_name, service_key, count(*)
FROM sys_inbox
GROUP BY 1, 2
ORDER BY 3 DESC
LIMIT 50`,
	"Largest state": `SELECT service_name, service_key, key, value_length
FROM state
ORDER BY value_length DESC
LIMIT 50`,
	"Tables and columns": `SELECT table_name, column_name, data_type
FROM information_schema.columns
ORDER BY 1, 2`,
};
const HISTORY_MAX = 20;
const SHOWN_MAX = 1000;

export function Sql() {
	const asked = usePlace().search.get("q") ?? "";
	const { queries } = useSettings();
	const [text, setText] = useState(asked || PRESETS["Not completed"]);
	const [answer, setAnswer] = useState(null);
	const [turn, setTurn] = useState(0);
	const { busy, rows, error, took } = answer ?? {};
	useEffect(() => {
		const running = new AbortController();
		const run = async () => {
			const began = performance.now();
			setText(asked);
			setAnswer({ busy: true });
			const told = await query(asked, running.signal).then((rows) => ({ rows }), (error) => ({ error }));
			if (!running.signal.aborted) setAnswer({ ...told, took: performance.now() - began });
		};
		if (asked) void run();
		return () => running.abort();
	}, [asked, turn]);
	const submit = () => {
		change({ queries: [text, ...queries.filter((one) => one !== text)].slice(0, HISTORY_MAX) });
		if (text === asked) setTurn(turn + 1);
		else setSearch({ q: text });
	};
	const typed = (event) => setText(event.target.value);
	return html`${heading("SQL", html`
			<label>Start from <select onInput=${typed}><optgroup label="Examples">
				${Object.entries(PRESETS).map(([name, sql]) => html`<option value=${sql}>${name}</option>`)}</optgroup>
				${queries.length > 0 && html`<optgroup label="Asked before">
					${queries.map((sql) => html`<option value=${sql}>${oneLine(sql, 80)}</option>`)}</optgroup>`}
			</select></label>`)}
		<textarea class="code" aria-label="Query" rows="7" spellcheck="false" value=${text} onInput=${typed}
			onKeyDown=${(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit()}></textarea>
		<div class="bar"><button class="primary" onClick=${submit} disabled=${busy}>Run</button>
			<small><kbd>Ctrl</kbd> <kbd>Enter</kbd></small>
			${fault(error?.message)}
			${rows && html`<span class="soft" role="status">${rows.length} rows in ${Math.round(took)} ms
					${rows.length > SHOWN_MAX && `, the first ${SHOWN_MAX} are shown`}</span>
				<button onClick=${() => save(toCsv(rows), "perdure.csv")}>Save as CSV</button>`}</div>
		${rows && table("Result", rows.slice(0, SHOWN_MAX), "",
			Object.fromEntries(columnsOf(rows).map((name) => [name, (row) => shown(cell(row[name]))])), "No row.")}`;
}

function shown(text) {
	if (placeOf(text)) return idLink(text);
	if (text.length <= 300) return html`<span class="mono">${text}</span>`;
	return html`<details><summary>${text.slice(0, 120)}…</summary><pre>${text}</pre></details>`;
}
