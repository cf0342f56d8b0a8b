// @ts-check
import { literal, whereKey } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { SHOWN_MAX } from "../logic/payload.js";
import { Change, Code, at, html, query, request, useEffect, useForm, useState } from "./kit.js";

/** id: the key. name: of the entry, "" for a new one. */
export function EditEntry({ service, id, name, onClose }) {
	const [before, setBefore] = useState(null);
	const { values, set, field } = useForm({ entry: name, text: "", plain: false, removes: false });
	const { entry, text, plain, removes } = values;
	useEffect(() => {
		const where = `${whereKey(service, id)} AND key = ${literal(name)}`;
		if (name) void query(`SELECT value, value_utf8 AS text FROM state WHERE ${where}`).then(([found]) => {
			const { text = "" } = found ?? {};
			setBefore(found);
			set({ ...values, text, plain: Boolean(text && faultOf(text)) });
		});
	}, []);
	const act = async () => {
		const seen = before && (before.text ?? before.value.match(/../g).map((pair) => parseInt(pair, 16)));
		const body = { object_key: id, name: entry, before: seen, value: removes ? null : text };
		const { applied } = await request("PATCH", at("services", service, "state"), { body });
		return applied ? `Changed ${entry}` : "It is changed when the key is free, if it still is this one";
	};
	return html`<${Change} title=${name ? `Change ${name}` : "Add an entry"} word=${removes ? "Remove" : "Save"}
			danger=${removes} ...${{ act, onClose }}
			disabled=${!entry || (name && !before) || (!plain && !removes && faultOf(text))}
			effect=${removes ? "The entry is gone for later handlers."
				: "Later handlers read this value. While an invocation holds the key, it waits in the queue."}>
		${!name && field("entry", "Name")}
		${before && html`<p class="soft">Before</p><pre dir="auto">
			${before.text?.slice(0, SHOWN_MAX) ?? `binary, ${before.value.length / 2} bytes`}</pre>`}
		${(before || !name) && !removes
			&& [field("text", "After", { as: Code, json: !plain }), field("plain", "It is text, not JSON")]}
		${before && field("removes", "Remove the entry")}<//>`;
}
