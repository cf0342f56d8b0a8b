// @ts-check
import {
	Change, at, html, link, millis, page, query, relative, request, table, useAnswer, useDialog, useForm, useNow,
	useState, warnings,
} from "../components/kit.js";

const PINNED = `SELECT pinned_deployment_id AS id, count(*) AS n FROM sys_invocation_status
	WHERE status <> 'completed' AND pinned_deployment_id IS NOT NULL GROUP BY 1`;

/** The newest first. @type {Load<Deployment[]>} */
async function load(signal) {
	const get = (path) => request("GET", path, { signal });
	const [{ deployments }, { services }, pinned] =
		await Promise.all([get("/deployments"), get("/services"), query(PINNED, signal)]);
	return deployments.map((one) => ({
		...one,
		newest: services.some(({ deployment_id: id }) => id === one.id),
		open: pinned.find(({ id }) => id === one.id)?.n,
	})).sort((a, b) => b.created_at.localeCompare(a.created_at));
}

export function Deployments({ id }) {
	const asked = useAnswer(load, []);
	const [change, changing] = useDialog(Register, asked.again);
	const [remove, removing] = useDialog(Remove, asked.again);
	const now = useNow();
	return page("Deployments", asked, (deployments) => table("Deployments", deployments, "id", {
		Deployment: (one) => html`${one.uri}<div class="mono soft">${one.id}</div>`,
		Services: ({ services }) => services.map(({ name, revision }) => html`<div>
			${link(["services", name])} <small>revision ${revision}</small></div>`),
		SDK: (one) => html`${one.sdk_version}
			<div class="soft">protocol ${one.min_protocol_version}–${one.max_protocol_version}</div>`,
		Registered: (one) => relative(millis(one.created_at), now),
		"Open invocations": (one) => (one.open ? link(["invocations"], `${one.open} open`, { deployment: one.id })
			: one.newest ? "none; takes new ones" : "drained"),
		Operations: (one) => html`<span class="nowrap">
			<button aria-label="Update ${one.uri}" onClick=${() => change(one)}>Update…</button>${" "}
			<button class="danger" aria-label="Remove ${one.uri}" onClick=${() => remove(one)}>Remove…</button></span>`,
	}, html`None is registered. Register one, or <code>perdure deployments register URL</code>.`, id),
	html`<button class="primary" onClick=${() => change({})}>Register…</button>${changing}${removing}`);
}

// Of one that is there where it has an id.
function Register({ id, uri = "", http_version: version, onClose }) {
	const { values, field } = useForm(id ? { uri, overwrite: false, use_http_11: version === "HTTP/1.1" }
		: { uri, force: false, breaking: false, use_http_11: false });
	const [found, setFound] = useState(null);
	// Forgotten when something else is asked for.
	const preview = found?.values === values ? found.preview : null;
	const [word, effect] = !preview ? ["Preview", "The endpoint is asked what it serves. Nothing is changed yet."]
		: id ? ["Update", "All that is pinned to it goes on there."]
			: ["Register", "New invocations of these services run there; those that have begun stay where they are."];
	const act = async () => {
		const path = at("deployments", ...(id ? [id] : []));
		const answer = await request(id ? "PATCH" : "POST", path, { body: { ...values, dry_run: !preview } });
		if (preview) return `${id ? "Updated" : "Registered"} ${answer.id}`;
		setFound({ values, preview: answer });
		return null;
	};
	return html`<${Change} title=${id ? `Update ${uri}` : "Register an endpoint"} disabled=${!values.uri}
			...${{ word, effect, act, onClose }}>
		${field("uri", "Address", { placeholder: "http://localhost:9080" })}
		${id ? field("overwrite", "Take its services as they are there now, also for what has begun on it")
			: [field("force", "Discover it anew if it is registered, also for what has begun on it"),
				field("breaking", "Let services change their type")]}
		${field("use_http_11", "Speak HTTP/1.1 with it")}
		${preview && html`<div role="status"><h3>What it serves</h3>${warnings(preview.info)}<ul>
			${preview.services.map(({ name, ty, revision, handlers, info }) => html`<li><b><bdi>${name}</bdi></b> ${ty},
				revision ${revision}: ${handlers.map((one) => one.name).join(", ")}${warnings(info)}</li>`)}</ul></div>`}<//>`;
}

function Remove({ id, uri, onClose }) {
	const [refused, setRefused] = useState(false);
	const act = async () => {
		await request("DELETE", at("deployments", id) + (refused ? "?force=true" : "")).catch((error) => {
			setRefused(error.status === 409);
			throw error;
		});
		return `Removed ${id}`;
	};
	return html`<${Change} title="Remove ${uri}" word=${refused ? "Remove by force" : "Remove"} danger
			...${{ act, onClose }} effect=${refused
				? "What is pinned to it fails with RT0011, until it is moved or cancelled. Services of it alone are gone."
				: "Only if it is drained: no open invocation needs it, and it is the newest for no service."}>
		<p class="mono soft">${id}</p><//>`;
}
