// @ts-check
import { SORTS } from "../logic/list.js";
import {
	LOOKS, Link, StatusBadge, address, clockTime, duration, html, lookName, millis, relative, shortLink, useMemo, why,
} from "./kit.js";

const moment = (word, column) => ({
	word,
	cell(row, { now, zone }) {
		const at = millis(row[column]);
		return html`<time class="soft" title=${clockTime(at, zone, now)}>${relative(at, now)}</time>`;
	},
});
const text = (word, column) => ({ word, cell: (row) => html`<bdi class="cut">${row[column]}</bdi>` });

export const COLUMNS = {
	status: { word: "Status", rising: true, cell: (row) => html`<${StatusBadge} row=${row} />` },
	target: {
		word: "Target", rising: true,
		cell: (row) => html`<${Link} class="cut" to=${address(["invocations", row.id])} title=${row.target}>
			${[row.target_service_name, row.target_service_key].map((part) =>
				part != null && html`<bdi>${part}</bdi><small>/</small>`)}<b>${row.target_handler_name}</b><//>`,
	},
	id: { word: "Invocation", cell: ({ id }) => shortLink(id) },
	why: {
		word: "Why",
		cell(row, { now }) {
			const said = why(row, now).slice(0, 1000);
			return said && html`<bdi class="cut tone-${LOOKS[lookName(row)].tone}" title=${said}>${said}</bdi>`;
		},
	},
	took: {
		word: "Took",
		cell: (row, { now }) => duration(Math.max(0, (millis(row.completed_at) ?? now) - Date.parse(row.created_at))),
	},
	created: moment("Created", "created_at"),
	modified: moment("Modified", "modified_at"),
	completed: moment("Completed", "completed_at"),
	tries: text("Tries", "retry_count"),
	key: text("Key", "target_service_key"),
	deployment: text("Deployment", "pinned_deployment_id"),
	caller: text("Called by", "invoked_by_target"),
	idempotency: text("Idempotency key", "idempotency_key"),
};
export const USUAL = ["status", "target", "id", "why", "took", "created"];

export function Rows({ list, columns, sort, times, ticked, current, onSort, onTick, onTickAll, onCurrent }) {
	// A link in a row may have led away by now.
	const idOf = (event) => event.target.closest("tr")?.dataset.id ?? "";
	const clicked = (event) => {
		onCurrent(idOf(event));
		if (event.target.type === "checkbox") onTick(idOf(event), event.shiftKey);
	};
	const head = (name) => {
		const { word, rising } = COLUMNS[name];
		const up = `${name} up`;
		const [order, arrow] = sort === name ? ["descending", "▼"] : sort === up ? ["ascending", "▲"] : [];
		const next = sort === name || (!order && rising) ? up : name;
		const button = html`<button class="link" onClick=${() => onSort(next)}>
			${word}<span aria-hidden>${arrow}</span></button>`;
		return html`<th scope="col" class="col-${name}" aria-sort=${order}>${name in SORTS ? button : word}</th>`;
	};
	return html`<div class="scroll"><table class="list"><thead><tr><th scope="col" class="tick">
			<input type="checkbox" aria-label="Tick all rows of this page"
				checked=${list.order.every((id) => ticked.includes(id))}
				onChange=${(event) => onTickAll(event.target.checked)} /></th>${columns.map(head)}</tr></thead>
		<tbody onClick=${clicked} onFocusIn=${(event) => onCurrent(idOf(event))}>
			${list.order.map((id) => html`<${RowLine} key=${id} row=${list.rows.get(id)} ...${{ columns, times }}
				left=${list.left.has(id)} ticked=${ticked.includes(id)} current=${current === id} />`)}</tbody></table></div>`;
}

function RowLine({ row, left, columns, times, ticked, current }) {
	// Of what is over only "… ago" moves, and by the minute.
	const isOver = times.now - Date.parse(row.completed_at) > 60000;
	const clock = isOver ? Math.floor(times.now / 60000) : times.now;
	return useMemo(() => html`<tr data-id=${row.id} title=${left ? "It does not match any more" : ""}
			class="${current ? "current" : ""} ${left ? "left" : ""} ${ticked ? "chosen" : ""}">
		<td class="tick"><input type="checkbox" name=${row.id} checked=${ticked}
			aria-label="Tick ${row.target} ${row.id}" /></td>
		${columns.map((name) => html`<td class="col-${name}">${COLUMNS[name].cell(row, times)}</td>`)}
	</tr>`, [row, left, columns.join(), clock, times.zone, ticked, current]);
}
