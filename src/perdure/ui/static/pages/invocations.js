// @ts-check
/** The list of invocations: live, filtered by the address. */
import { html, useEffect, useMemo, useState } from "../vendor/preact-htm.js";
import { follow } from "../api/events.js";
import { setServerTime, useNow } from "../components/clock.js";
import { Link, address, search as setSearch, usePlace } from "../components/router.js";
import { Badge, StatusBadge } from "../components/status-badge.js";
import { NO_LIST, foldList, showHeld } from "../logic/fold.js";
import { fromSearch, toSearch, toTopic } from "../logic/filters.js";
import { ORDER, lookName, why } from "../logic/status.js";
import { duration, millis, relative } from "../logic/time.js";

const ROWS = 100;

export function Invocations() {
  const { search } = usePlace();
  const filters = useMemo(() => fromSearch(search), [search.toString()]);
  const [list, setList] = useState(NO_LIST);
  const topic = toTopic(filters, ROWS);
  useEffect(() => {
    const wanted = (/** @type {any} */ row) => !filters.status.length || filters.status.includes(lookName(row));
    setList(NO_LIST);
    return follow([topic], {
      onMessages: (messages) => {
        for (const { event, data } of messages) if (event === "snapshot") setServerTime(data.now);
        setList((list) => foldList(list, messages, wanted, scrollY > 40));
      },
    });
  }, [topic]);
  const now = useNow();
  const toggle = (/** @type {string} */ name) => {
    const status = filters.status.includes(name) ? filters.status.filter((one) => one !== name) : [...filters.status, name];
    setSearch(toSearch({ ...filters, status }));
  };
  return html`<div class="head"><h1>Invocations</h1></div>
    <div class="legend" role="group" aria-label="Filter by status">
      ${ORDER.map((name) => html`<button key=${name} class="plain" aria-pressed=${filters.status.includes(name)} onClick=${() => toggle(name)}>
        <${Badge} name=${name} count=${list.counts?.[name]} /></button>`)}
    </div>
    ${list.held.length > 0 && html`<p><button onClick=${() => setList(showHeld)}>${list.held.length} new ↑ show</button></p>`}
    ${list.loaded && list.order.length === 0 && html`<p class="empty">No invocation matches.</p>`}
    <div class="scroll"><table>
      <thead><tr><th>Status</th><th>Target</th><th>Invocation</th><th>Why</th><th class="right">Took</th><th>Created</th></tr></thead>
      <tbody>${list.order.map((id) => html`<${ListRow} key=${id} row=${list.rows.get(id)} now=${now} />`)}</tbody>
    </table></div>`;
}

/** @param {{row: any, now: number}} props */
function ListRow({ row, now }) {
  const created = millis(row.created_at);
  const ended = millis(row.completed_at) ?? now;
  return html`<tr>
    <td><${StatusBadge} row=${row} /></td>
    <td>${row.target}</td>
    <td class="mono"><${Link} to=${address(["invocations", row.id])}>${row.id.slice(0, 12)}…<//></td>
    <td class="soft">${why(row, now)}</td>
    <td class="right nowrap">${created === null ? "" : duration(ended - created)}</td>
    <td class="nowrap soft">${relative(created, now)}</td>
  </tr>`;
}
