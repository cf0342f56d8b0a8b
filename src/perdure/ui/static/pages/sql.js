// @ts-check
/** Questions in SQL over everything the server knows. */
import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { query } from "../api/http.js";
import { Link, address, search as setSearch, usePlace } from "../components/router.js";
import { change, useSettings } from "../components/settings.js";
import { cell, columnsOf, placeOf, toCsv } from "../logic/table.js";

const PRESETS = [
  ["Not completed", "SELECT id, target, status, created_at, retry_count, last_failure\nFROM sys_invocation\nWHERE status != 'completed'\nORDER BY created_at\nLIMIT 100"],
  ["Failing the longest", "SELECT id, target, retry_count, next_retry_at, last_failure\nFROM sys_invocation\nWHERE status = 'backing-off'\nORDER BY retry_count DESC\nLIMIT 50"],
  ["By service and status", "SELECT target_service_name, status, count(*) AS invocations\nFROM sys_invocation\nGROUP BY target_service_name, status\nORDER BY invocations DESC"],
  ["Failed in the last hour", "SELECT id, target, completed_at, completion_failure\nFROM sys_invocation\nWHERE status = 'completed' AND completion_result = 'failure' AND completed_at > now() - INTERVAL '1 hour'\nORDER BY completed_at DESC\nLIMIT 100"],
  ["Keys with a queue", "SELECT service_name, service_key, count(*) AS waiting\nFROM sys_inbox\nGROUP BY service_name, service_key\nORDER BY waiting DESC\nLIMIT 50"],
  ["Largest state", "SELECT service_name, service_key, key, value_length\nFROM state\nORDER BY value_length DESC\nLIMIT 50"],
  ["Tables and columns", "SELECT table_name, column_name, data_type\nFROM information_schema.columns\nORDER BY table_name, column_name"],
];
const HISTORY_MAX = 20;
const SHOWN_MAX = 1000;

/** @typedef {{rows: Record<string, any>[], took: number} | {failure: string} | null} Answer */

export function Sql() {
  const { search } = usePlace();
  const asked = search.get("q") ?? "";
  const { queries } = useSettings();
  const [text, setText] = useState(asked || PRESETS[0][1]);
  const [answer, setAnswer] = useState(/** @type {Answer} */ (null));
  const [busy, setBusy] = useState(false);
  const running = useRef(/** @type {AbortController | null} */ (null));
  const run = async (/** @type {string} */ sql) => {
    running.current?.abort();
    const controller = (running.current = new AbortController());
    setBusy(true);
    const began = performance.now();
    try {
      const rows = await query(sql, controller.signal);
      setAnswer({ rows, took: performance.now() - began });
    } catch (error) {
      if (controller.signal.aborted) return;
      setAnswer({ failure: /** @type {Error} */ (error).message });
    }
    setBusy(false);
  };
  useEffect(() => {
    if (asked) {
      setText(asked);
      void run(asked);
    }
  }, [asked]);
  const submit = () => {
    change({ queries: [text, ...queries.filter((one) => one !== text)].slice(0, HISTORY_MAX) });
    if (text === asked) void run(text);
    else setSearch(new URLSearchParams({ q: text }));
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  };
  return html`<div class="head"><h1>SQL</h1><span class="grow"></span>
      <label>Start from <select onChange=${(/** @type {any} */ event) => setText(event.target.value)}>
        <optgroup label="Examples">${PRESETS.map(([name, sql]) => html`<option key=${name} value=${sql}>${name}</option>`)}</optgroup>
        ${queries.length > 0 && html`<optgroup label="Asked before">${queries.map((sql) => html`<option key=${sql} value=${sql}>${sql.replaceAll(/\s+/g, " ").slice(0, 80)}</option>`)}</optgroup>`}
      </select></label></div>
    <textarea class="code" aria-label="Query" rows="7" spellcheck="false" value=${text} onKeyDown=${pressed}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea>
    <div class="bar"><button class="primary" onClick=${submit} disabled=${busy}>Run</button><span class="soft"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span>
      <${Outcome} answer=${answer} /></div>
    ${answer && "rows" in answer && html`<${Rows} rows=${answer.rows} />`}`;
}

/** @param {{answer: Answer}} props */
function Outcome({ answer }) {
  if (!answer) return null;
  if ("failure" in answer) return html`<span class="invalid" role="alert">${answer.failure}</span>`;
  const { rows, took } = answer;
  return html`<span class="soft" role="status">${rows.length} ${rows.length === 1 ? "row" : "rows"} in ${Math.round(took)} ms${rows.length > SHOWN_MAX ? `, the first ${SHOWN_MAX} are shown` : ""}</span>
    <button onClick=${() => save(toCsv(rows))}>Save as CSV</button>`;
}

/** @param {{rows: Record<string, any>[]}} props */
function Rows({ rows }) {
  const columns = columnsOf(rows);
  if (!rows.length) return html`<p class="empty">No row.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Result"><table>
    <thead><tr>${columns.map((name) => html`<th key=${name} scope="col">${name}</th>`)}</tr></thead>
    <tbody>${rows.slice(0, SHOWN_MAX).map((row, index) => html`<tr key=${index}>
      ${columns.map((name) => html`<td key=${name} class="mono"><${Cell} value=${row[name]} /></td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** @param {{value: unknown}} props */
function Cell({ value }) {
  const text = cell(value);
  const place = placeOf(text);
  if (place) return html`<${Link} to=${address(place)}>${text}<//>`;
  return text.length > 300 ? html`<details><summary>${text.slice(0, 120)}…</summary><pre>${text}</pre></details>` : text;
}

/** @param {string} csv */
function save(csv) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = "perdure.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
