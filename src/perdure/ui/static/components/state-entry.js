// @ts-check
/** Changes one entry of the state of a key; the server replaces the state as a whole, and only the one that was looked at. */
import { Change, Code, at, html, query, request, useEffect, useForm, useState } from "./kit.js";
import { literal } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { SHOWN_MAX } from "../logic/payload.js";
import { bytesOf, same, versionOf, withEntry } from "../logic/state.js";

/** The longest state that is changed here, in bytes: requests have a limit, and binary values grow on the way. */
const BYTES_MAX = 300000;

/** @param {string} where @returns {Promise<StateEntry[]>} */
async function read(where) {
  const [{ size }] = await query(`SELECT coalesce(sum(value_length), 0) AS size FROM state ${where}`);
  if (size > BYTES_MAX) throw new Error("This state is too large to be changed here. Use the admin API: POST /services/{service}/state.");
  return /** @type {any} */ (query(`SELECT key, value, value_utf8 FROM state ${where} ORDER BY key`));
}

/** @param {{service: string, id: string, name: string, onClose: () => void}} props id: the key. name: of the entry, "" for a new one */
export function EditEntry({ service, id, name, onClose }) {
  const [state, setState] = useState(/** @type {StateEntry[] | null} */ (null));
  const [failure, setFailure] = useState("");
  const { values: { entry, text, plain, removes }, set, field } = useForm({ entry: name, text: "", plain: false, removes: false });
  const where = `WHERE service_name = ${literal(service)} AND service_key = ${literal(id)}`;
  useEffect(() => {
    read(where).then((entries) => {
      const text = entries.find((one) => one.key === name)?.value_utf8 ?? "";
      set((values) => ({ ...values, text, plain: Boolean(text && faultOf(text)) }));
      setState(entries);
    }, (error) => setFailure(error.message));
  }, []);
  const before = state?.find((one) => one.key === entry);
  const act = async () => {
    const wanted = withEntry(state ?? [], entry, removes ? null : text);
    const body = { object_key: id, new_state: wanted, version: await versionOf(state ?? []) };
    await request("POST", at("services", service, "state"), { body });
    const [now, locked] = await Promise.all([read(where), query(`SELECT 1 AS n FROM sys_keyed_service_status ${where}`)]);
    if (same(now, wanted)) return `Changed ${entry}`;
    if (locked.length) return "It is changed when the invocation that holds the key is done, if nothing else changes the state until then";
    throw new Error("Somebody else changed the state meanwhile, so nothing was done. Close this, look at it, and try again.");
  };
  return html`<${Change} title=${name ? `Change ${name}` : "Add an entry"} word=${removes ? "Remove" : "Save"} danger=${removes} act=${act} onClose=${onClose}
      disabled=${!state || !entry || (!plain && !removes && faultOf(text))}
      effect=${removes ? "The entry is gone for every handler that runs later."
        : "Handlers that run later read this value. While an invocation holds the key, it waits in the queue."}>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
    ${!name && field("entry", "Name")}
    ${before && html`<p class="soft">Before</p><pre dir="auto">${(before.value_utf8 ?? `binary, ${bytesOf(before.value).length} bytes`).slice(0, SHOWN_MAX)}</pre>`}
    ${state && !removes && html`${field("text", "After", { as: Code, json: !plain })}${field("plain", "It is text, not JSON")}`}
    ${name && field("removes", "Remove the entry")}<//>`;
}
