// @ts-check
/** Who waits for an answer from outside, and the answer. */
import { html, useState } from "../vendor/preact-htm.js";
import { useAnswer } from "../api/answer.js";
import { query, request } from "../api/http.js";
import { Change, Code, Missing, Table, Text } from "../components/change.js";
import { useNow } from "../components/clock.js";
import { Link, address, go, usePlace } from "../components/router.js";
import { StatusBadge } from "../components/status-badge.js";
import { fromSearch, toSql } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { millis, relative } from "../logic/time.js";
import { waitsOf } from "../logic/waits.js";

const MOST = 200;
const OUTSIDE = toSql(fromSearch(new URLSearchParams({ waits: "outside" })));
const WAITING = `SELECT id, target, status, modified_at, suspended_waiting_future_json, last_awaiting_on_future_json FROM sys_invocation
  WHERE ${OUTSIDE} ORDER BY modified_at, id LIMIT ${MOST + 1}`;
const PROMISES = `SELECT service_name, service_key, key FROM sys_promise WHERE NOT completed ORDER BY service_name, service_key, key LIMIT ${MOST + 1}`;

/** @param {AbortSignal} signal */
async function load(signal) {
  const [rows, promises] = await Promise.all([query(WAITING, signal), query(PROMISES, signal)]);
  const waits = rows.slice(0, MOST).flatMap((row) => waitsOf(/** @type {any} */ (row), []).map((wait) => ({ row, wait })));
  return { waits, promises: promises.slice(0, MOST), more: rows.length > MOST || promises.length > MOST };
}

export function Waits() {
  const asked = usePlace().search.get("id") ?? "";
  const answer = useAnswer(load, []);
  const now = useNow();
  const { data } = answer;
  return html`<div class="head"><h1>Waits</h1></div><p class="soft">Invocations that go on when somebody answers. They are here at the latest once they are suspended, the longest wait first.</p>
    <${Missing} answer=${answer} />
    ${data && !data.waits.length && !data.promises.length && html`<p class="empty">Nothing waits for an answer from outside.</p>`}
    ${data?.more && html`<p class="soft">The first ${MOST} are shown; <${Link} to=${address(["invocations"], { waits: "outside" })}>the list<//> has all invocations.</p>`}
    ${data && data.waits.length > 0 && html`<${Table} label="Awakeables and signals" head=${["Invocation", "Status", "Waits for", "Since", "Answer"]}>
      ${data.waits.map(({ row, wait }) => html`<tr key=${wait.id ?? row.id + wait.text} class=${wait.id && wait.id === asked ? "chosen" : ""}>
        <td><${Link} to=${address(["invocations", row.id])}><bdi>${row.target}</bdi><//></td><td><${StatusBadge} row=${row} /></td>
        <td>${wait.text} ${wait.id && html`<span class="mono soft">${wait.id}</span>`}</td>
        <td class="nowrap">${relative(millis(row.modified_at), now)}</td>
        <td>${wait.id ? html`<button onClick=${() => go(address(["waits"], { id: wait.id ?? "" }))}>Answer</button>` : html`<span class="soft">by another handler</span>`}</td></tr>`)}<//>`}
    ${data && data.promises.length > 0 && html`<h2>Promises of workflows</h2>
      <${Table} label="Promises" head=${["Workflow", "Promise"]}>${data.promises.map((row) => html`<tr key=${JSON.stringify(row)}>
        <td><${Link} to=${address(["objects", row.service_name, row.service_key])}><bdi>${row.service_name}/${row.service_key}</bdi><//></td>
        <td><bdi>${row.key}</bdi></td></tr>`)}<//>`}
    ${/^(sign|prom)_1/.test(asked) && html`<${Answer} key=${asked} id=${asked} onClose=${() => (go(address(["waits"]), { replace: true }), answer.again())} />`}`;
}

/** @param {{id: string, onClose: () => void}} props */
function Answer({ id, onClose }) {
  const [verb, setVerb] = useState("resolve");
  const [value, setValue] = useState("");
  const [message, setMessage] = useState("");
  const resolves = verb === "resolve";
  const act = async () => {
    // As it was typed: JavaScript would change large numbers.
    const json = resolves ? `{"value":${value}}` : JSON.stringify({ message });
    await request("POST", `/awakeables/${encodeURIComponent(id)}/${verb}`, { json });
    return resolves ? "Resolved" : "Rejected";
  };
  return html`<${Change} title="Answer an awakeable" word=${resolves ? "Resolve" : "Reject"} danger=${!resolves} act=${act} onClose=${onClose}
      disabled=${resolves ? Boolean(faultOf(value)) : !message}
      effect=${`${resolves ? "The invocation goes on with this value." : "The invocation gets a failure with code 500 and this message."} The first answer counts, and it cannot be taken back.`}>
    <p class="mono soft">${id}</p>
    <label class="field"><span>Answer</span><select value=${verb} onChange=${(/** @type {any} */ event) => setVerb(event.target.value)}>
      <option value="resolve">Resolve with a value</option><option value="reject">Reject with a failure</option></select></label>
    ${resolves ? html`<${Code} label="Value, as JSON" json=${true} value=${value} onValue=${setValue} />`
      : html`<${Text} label="Message" value=${message} onValue=${setMessage} />`}<//>`;
}
