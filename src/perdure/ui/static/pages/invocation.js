// @ts-check
/** One invocation: its status and why, its journal, its remote control. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { follow } from "../api/events.js";
import { setServerTime, useNow } from "../components/clock.js";
import { Operations } from "../components/operation.js";
import { StatusBadge } from "../components/status-badge.js";
import { NO_LIFE, foldLife } from "../logic/fold.js";
import { why } from "../logic/status.js";

/** @param {{id: string}} props */
export function Invocation({ id }) {
  const [life, setLife] = useState(NO_LIFE);
  useEffect(
    () =>
      follow([`invocation:${id}`], {
        onMessages: (messages) => {
          for (const { event, data } of messages) if (event === "snapshot") setServerTime(data.now);
          setLife((life) => foldLife(life, messages));
        },
      }),
    [id],
  );
  const now = useNow();
  if (!life.loaded) return html`<p class="soft">Loading…</p>`;
  if (!life.row) return html`<p class="empty">Invocation ${id} is not known: it never was, or its retention is over.</p>`;
  return html`<div class="head"><h1>${life.row.target}</h1><${StatusBadge} row=${life.row} /><span class="soft">${why(life.row, now)}</span>
      <span class="grow"></span><${Operations} row=${life.row} /></div>
    <p class="mono">${id}</p>
    <table><thead><tr><th>#</th><th>Entry</th><th>Name</th><th>At</th></tr></thead>
      <tbody>${life.journal.map((entry) => html`<tr key=${entry.index}>
        <td>${entry.index}</td><td>${entry.entry_type}</td><td>${entry.name}</td><td>${entry.appended_at}</td></tr>`)}</tbody>
    </table>`;
}
