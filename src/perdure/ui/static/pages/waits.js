// @ts-check
import {
	Change, Choice, Code, OF_OPEN_PROMISE, StatusBadge, address, at, faultOf, go, html, link, literal, millis, page,
	query, relative, request, stepsOf, table, toSql, useAnswer, useForm, useNow, usePlace,
} from "../components/kit.js";
import { answerTo, waitsOf } from "../logic/waits.js";

const MOST = 200;
const OUTSIDE = { waits: "outside" };
const WAITING = `SELECT id, target, status, modified_at, target_service_name, target_service_key, target_service_ty,
	suspended_waiting_future_json, last_awaiting_on_future_json FROM sys_invocation
	WHERE ${toSql(new URLSearchParams(OUTSIDE))} OR status <> 'completed' AND ${OF_OPEN_PROMISE}
	ORDER BY modified_at, id LIMIT ${MOST + 1}`;

async function load(signal) {
	const rows = await query(WAITING, signal);
	const ids = rows.filter((row) => row.target_service_ty === "workflow").map((row) => literal(row.id));
	const promises = ids.length ? await query(`SELECT id, "index", appended_at, entry_lite_json FROM sys_journal
		WHERE id IN (${ids}) AND entry_type LIKE '%: GetPromise' ORDER BY "index"`, signal) : [];
	const waits = rows.slice(0, MOST).flatMap((/** @type {any} */ row) =>
		waitsOf(row, stepsOf(row, promises.filter(({ id }) => id === row.id), [])).map((wait) =>
			({ row, ...wait, name: `${row.id} ${wait.text} ${wait.id}`, to: answerTo(row, wait) })));
	return { waits: waits.filter(({ to }) => to), more: rows.length > MOST };
}

export function Waits() {
	const { search } = usePlace();
	const asked = useAnswer(load, []);
	const now = useNow();
	const { id, signal, service, key, promise } = Object.fromEntries(search);
	const [path, names] = service ? [at("services", service, "promises"), { key, name: promise }]
		: signal === undefined ? [id && at("awakeables", id), { id }]
			: [at("invocations", id, "signals"), { name: signal }];
	const what = [...search.values()].join(" ");
	const onClose = () => (go(address(["waits"]), { replace: true }), asked.again());
	return page("Waits", asked, ({ waits, more }) => html`
		<p class="soft">These go on when somebody answers. They are here at the latest once they are suspended.</p>
		${more && html`<p>The first ${MOST} are shown; ${link(["invocations"], "the list", OUTSIDE)} has all.</p>`}
		${table("Waits", waits, "name", {
			Invocation: ({ row }) => link(["invocations", row.id], row.target),
			Answer: ({ to }) => link(["waits"], "Answer…", to, { class: "button" }),
			"Waits for": ({ text, id, to }) => html`<bdi>${text}</bdi> ${id && html`<code class="soft">${id}</code>`}
				${to.service && html`of ${link(["objects", to.service, to.key], `${to.service}/${to.key}`)}`}`,
			Since: ({ step, since, row }) => relative(step ? since : millis(row.modified_at), now),
			Status: ({ row }) => html`<${StatusBadge} row=${row} />`,
		}, "Nothing waits for an answer from outside.")}
		${path && html`<${Answer} key=${search} ...${{ what, path, names, onClose }} />`}`);
}

// path, names: what is answered, in the address and in the body of the request.
function Answer({ what, path, names, onClose }) {
	const { values: { verb, value, message }, field } = useForm({ verb: "resolve", value: "", message: "" });
	const resolves = verb === "resolve";
	const act = async () => {
		// As it was typed: JavaScript would change large numbers.
		const answer = resolves ? `"value":${value}` : `"message":${JSON.stringify(message)}`;
		await request("POST", `${path}/${verb}`, { json: `{${answer},${JSON.stringify(names).slice(1)}` });
		return resolves ? "Resolved" : "Rejected";
	};
	return html`<${Change} title="Answer what is waited for" word=${resolves ? "Resolve" : "Reject"} danger=${!resolves}
			...${{ act, onClose }} disabled=${resolves ? faultOf(value) : !message}
			effect=${`${resolves ? "The invocation goes on with this value." : "It gets a failure with code 500."}
				The first answer counts.`}>
		<p class="mono soft"><bdi>${what}</bdi></p>
		${field("verb", "Answer", { as: Choice, of: { resolve: "Resolve with a value", reject: "Reject with a failure" } })}
		${resolves ? field("value", "Value, as JSON", { as: Code, json: true }) : field("message", "Message")}<//>`;
}
