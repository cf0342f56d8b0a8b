// @ts-check
/** Changes one entry of the state of a key; the server replaces the state as a whole, and only the one that was looked at. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { query, request } from "../api/http.js";
import { literal } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { SHOWN_MAX } from "../logic/payload.js";
import { bytesOf, versionOf, withEntry } from "../logic/state.js";
import { Change, Code, Text, Tick } from "./change.js";

/** The longest state that is changed here, in bytes: requests have a limit, and binary values grow on the way. */
const BYTES_MAX = 300000;

/** @typedef {import("../logic/state.js").Entry} Entry */

/** @param {string} service @param {string} id @returns {Promise<Entry[]>} */
async function read(service, id) {
  const where = `service_name = ${literal(service)} AND service_key = ${literal(id)}`;
  const [{ size }] = await query(`SELECT coalesce(sum(value_length), 0) AS size FROM state WHERE ${where}`);
  if (size > BYTES_MAX) throw new Error("The state of this key is too large to be changed here. Change it by the admin API: POST /services/{service}/state.");
  return /** @type {any} */ (await query(`SELECT key, value, value_utf8 FROM state WHERE ${where} ORDER BY key`));
}

/** @param {{service: string, id: string, name: string, onClose: () => void}} props id: the key. name: of the entry, "" for a new one */
export function EditEntry({ service, id, name, onClose }) {
  const [state, setState] = useState(/** @type {Entry[] | null} */ (null));
  const [failure, setFailure] = useState("");
  const [entry, setEntry] = useState(name);
  const [text, setText] = useState("");
  const [plain, setPlain] = useState(false);
  const [removes, setRemoves] = useState(false);
  useEffect(() => {
    read(service, id).then((entries) => {
      const before = entries.find((one) => one.key === name);
      setText(before?.value_utf8 ?? "");
      setPlain(Boolean(before?.value_utf8 && faultOf(before.value_utf8)));
      setState(entries);
    }, (error) => setFailure(error.message));
  }, []);
  const before = state?.find((one) => one.key === entry);
  const act = async () => {
    const version = await versionOf(state ?? []);
    const wanted = withEntry(state ?? [], entry, removes ? null : text);
    const body = { object_key: id, new_state: wanted, ...(version ? { version } : {}) };
    await request("POST", `/services/${encodeURIComponent(service)}/state`, { body });
    const [now, locked] = await Promise.all([read(service, id), query(`SELECT 1 AS n FROM sys_keyed_service_status WHERE service_name = ${literal(service)} AND service_key = ${literal(id)}`)]);
    if (same(now, wanted)) return `Changed ${entry}`;
    if (locked.length) return "It is changed when the invocation that holds the key is done, if nothing else changes the state until then";
    throw new Error("Somebody else changed the state meanwhile, so nothing was done. Close this, look at it, and try again.");
  };
  const fault = plain || removes ? "" : faultOf(text);
  return html`<${Change} title=${name ? `Change ${name}` : "Add an entry"} word=${removes ? "Remove" : "Save"} danger=${removes} act=${act} onClose=${onClose}
      disabled=${!state || !entry || Boolean(fault)}
      effect=${removes ? "The entry is gone for every handler that runs later." : "Handlers that run later read this value. While an invocation holds the key, it waits in the queue."}>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
    ${!name && html`<${Text} label="Name" value=${entry} onValue=${setEntry} />`}
    ${before && html`<p class="soft">Before</p><pre class="mono" dir="auto">${(before.value_utf8 ?? `binary, ${bytesOf(before.value).length} bytes`).slice(0, SHOWN_MAX)}</pre>`}
    ${state && !removes && html`<${Code} label="After" json=${!plain} value=${text} onValue=${setText} /><${Tick} label="It is text, not JSON" checked=${plain} onValue=${setPlain} />`}
    ${name && html`<${Tick} label="Remove the entry" checked=${removes} onValue=${setRemoves} />`}<//>`;
}

/** @param {Entry[]} entries @param {Record<string, string | number[]>} wanted */
function same(entries, wanted) {
  const bytes = (/** @type {string | number[]} */ value) => (typeof value === "string" ? [...new TextEncoder().encode(value)] : value).join();
  return entries.length === Object.keys(wanted).length && entries.every((one) => one.key in wanted && bytesOf(one.value).join() === bytes(wanted[one.key]));
}
