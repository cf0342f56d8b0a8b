// @ts-check
/** Where the code is: endpoints, what still needs them, and how they come and go. */
import { html, useState } from "../vendor/preact-htm.js";
import { useAnswer } from "../api/answer.js";
import { ApiError, query, request } from "../api/http.js";
import { Change, Missing, Table, Text, Tick, Warnings } from "../components/change.js";
import { useNow } from "../components/clock.js";
import { Link, address, usePlace } from "../components/router.js";
import { millis, relative } from "../logic/time.js";

const PINNED = "SELECT pinned_deployment_id AS id, count(*) AS n FROM sys_invocation_status WHERE status <> 'completed' AND pinned_deployment_id IS NOT NULL GROUP BY 1";

/** @param {AbortSignal} signal */
async function load(signal) {
  const [{ deployments }, { services }, pinned] = await Promise.all([
    request("GET", "/deployments", { signal }), request("GET", "/services", { signal }), query(PINNED, signal)]);
  const open = new Map(pinned.map((row) => [row.id, row.n]));
  const newest = new Set(services.map((/** @type {any} */ one) => one.deployment_id));
  return deployments.map((/** @type {any} */ one) => ({ ...one, open: open.get(one.id) ?? 0, newest: newest.has(one.id) }))
    .sort((/** @type {any} */ a, /** @type {any} */ b) => b.created_at.localeCompare(a.created_at));
}

/** @param {{id?: string}} props */
export function Deployments({ id }) {
  const chosen = id ?? usePlace().search.get("id");
  const answer = useAnswer(load, []);
  const [registers, setRegisters] = useState(false);
  const [removed, setRemoved] = useState(/** @type {any} */ (null));
  const now = useNow();
  const { data } = answer;
  return html`<div class="head"><h1>Deployments</h1><span class="grow"></span><button class="primary" onClick=${() => setRegisters(true)}>Register…</button></div>
    <${Missing} answer=${answer} />
    ${data?.length === 0 && html`<p class="empty">No endpoint is registered. Register one, or <code>perdure deployments register URL</code>.</p>`}
    ${data?.length > 0 && html`<${Table} label="Deployments" head=${["Deployment", "Services", "SDK", "Registered", "Open invocations", "Operations"]}>
      ${data.map((/** @type {any} */ one) => html`<tr key=${one.id} class=${one.id === chosen ? "chosen" : ""} aria-current=${one.id === chosen ? "true" : undefined}>
        <td><bdi>${one.uri}</bdi><div class="mono soft">${one.id}</div></td>
        <td>${one.services.map((/** @type {any} */ service) => html`<div key=${service.name}><${Link} to=${address(["services", service.name])}>${service.name}<//> <span class="soft">revision ${service.revision}</span></div>`)}</td>
        <td>${one.sdk_version}<div class="soft">protocol ${one.min_protocol_version}–${one.max_protocol_version}</div></td>
        <td class="nowrap">${relative(millis(one.created_at), now)}</td>
        <td>${one.open ? html`<${Link} to=${address(["invocations"], { deployment: one.id })}>${one.open} open<//>` : one.newest ? "none; takes new ones" : "drained"}</td>
        <td><button class="danger" aria-label=${`Remove ${one.uri}`} onClick=${() => setRemoved(one)}>Remove…</button></td></tr>`)}<//>`}
    ${registers && html`<${Register} onClose=${() => (setRegisters(false), answer.again())} />`}
    ${removed && html`<${Remove} deployment=${removed} onClose=${() => (setRemoved(null), answer.again())} />`}`;
}

/** @param {{onClose: () => void}} props */
function Register({ onClose }) {
  const [uri, setUri] = useState("");
  const [force, setForce] = useState(false);
  const [breaking, setBreaking] = useState(false);
  const [http11, setHttp11] = useState(false);
  const [preview, setPreview] = useState(/** @type {any} */ (null));
  const change = (/** @type {(value: any) => void} */ set) => (/** @type {any} */ value) => (setPreview(null), set(value));
  const act = async () => {
    const body = { uri, force, breaking, use_http_11: http11 };
    const found = await request("POST", "/deployments", { body: { ...body, dry_run: !preview } });
    if (preview) return `Registered ${found.id}`;
    setPreview(found);
    return null;
  };
  return html`<${Change} title="Register an endpoint" word=${preview ? "Register" : "Preview"} act=${act} onClose=${onClose} disabled=${!uri}
      effect=${preview ? "New invocations of these services run there from now on. Those that have begun stay where they are." : "The endpoint is asked what it serves. Nothing is changed yet."}>
    <${Text} label="Address" value=${uri} placeholder="http://localhost:9080" onValue=${change(setUri)} />
    <${Tick} label="Again, though it is registered: its services are discovered anew, also for invocations that have begun on it" checked=${force} onValue=${change(setForce)} />
    <${Tick} label="Let services change their type" checked=${breaking} onValue=${change(setBreaking)} />
    <${Tick} label="Speak HTTP/1.1 with it" checked=${http11} onValue=${change(setHttp11)} />
    ${preview && html`<div role="status"><h3>What it serves</h3><${Warnings} info=${preview.info} />
      <ul>${preview.services.map((/** @type {any} */ one) => html`<li key=${one.name}><b><bdi>${one.name}</bdi></b> ${one.ty}, revision ${one.revision}: ${one.handlers.map((/** @type {any} */ handler) => handler.name).join(", ")}<${Warnings} info=${one.info} /></li>`)}</ul></div>`}<//>`;
}

/** @param {{deployment: any, onClose: () => void}} props */
function Remove({ deployment, onClose }) {
  const [refused, setRefused] = useState("");
  const act = async () => {
    try {
      await request("DELETE", `/deployments/${deployment.id}${refused ? "?force=true" : ""}`);
    } catch (error) {
      if (refused || !(error instanceof ApiError) || error.status !== 409) throw error;
      setRefused(error.message);
      return null;
    }
    return `Removed ${deployment.id}`;
  };
  return html`<${Change} title=${`Remove ${deployment.uri}`} word=${refused ? "Remove by force" : "Remove"} danger act=${act} onClose=${onClose}
      effect=${refused
        ? "By force, what is pinned to it fails each attempt with RT0011 and keeps trying, until it is moved to another deployment or cancelled. Services that nothing else serves are gone."
        : "It is removed only if it is drained: no open invocation needs it, and it is the newest for no service. Otherwise the server says why not."}>
    <p class="mono soft">${deployment.id}</p>${refused && html`<p class="invalid" role="alert">${refused}</p>`}<//>`;
}
