// @ts-check
/** Changes one entry of the state of a key: the server takes the state as a whole, and only for the one that was seen. */
import { literal } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { SHOWN_MAX } from "../logic/payload.js";
import { bytesOf, versionOf, withEntry } from "../logic/state.js";
import { Change, Code, at, html, query, request, useEffect, useForm, useState } from "./kit.js";

/** The longest state that is changed here, in bytes: requests have a limit, and binary values grow on the way. */
const BYTES_MAX = 300000;

/** @returns {Promise<any[]>} */
async function read(where = "") {
  const [{ size }] = await query(`SELECT sum(value_length) AS size FROM state ${where}`);
  if (size > BYTES_MAX) throw new Error("It is too large for this page. Use the admin API: POST /services/{service}/state.");
  return query(`SELECT key, value, value_utf8 FROM state ${where} ORDER BY key`);
}

/** id: the key. name: of the entry, "" for a new one. */
export function EditEntry({ service = "", id = "", name = "", onClose = () => {} }) {
  const [state, setState] = useState(/** @type {StateEntry[] | null} */ (null));
  const [failure, setFailure] = useState("");
  const { values, set, field } = useForm({ entry: name, text: "", plain: false, removes: false });
  const { entry, text, plain, removes } = values;
  const where = `WHERE service_name = ${literal(service)} AND service_key = ${literal(id)}`;
  useEffect(() => {
    read(where).then((entries) => {
      const text = entries.find((one) => one.key === name)?.value_utf8 ?? "";
      set({ ...values, text, plain: Boolean(text && faultOf(text)) });
      setState(entries);
    }, (error) => setFailure(error.message));
  }, []);
  const before = state?.find((one) => one.key === entry);
  const act = async () => {
    const entries = state ?? [];
    const body = { object_key: id, new_state: withEntry(entries, entry, removes ? null : text), version: await versionOf(entries) };
    await request("POST", at("services", service, "state"), { body });
    const [now, locked] = await Promise.all([
      read(where), query(`SELECT 1 AS n FROM sys_keyed_service_status ${where}`)]);
    if (now.find((one) => one.key === entry)?.value_utf8 === (removes ? undefined : text)) return `Changed ${entry}`;
    if (locked.length) return "It is changed when the key is free, if nothing else changes the state until then";
    throw new Error("Somebody else changed the state meanwhile, so nothing was done. Look at it, and try again.");
  };
  return html`<${Change} title=${name ? `Change ${name}` : "Add an entry"} word=${removes ? "Remove" : "Save"}
      danger=${removes} ...${{ act, onClose }} disabled=${!state || !entry || (!plain && !removes && faultOf(text))}
      effect=${removes ? "The entry is gone for every handler that runs later."
        : "Handlers that run later read this value. While an invocation holds the key, it waits in the queue."}>
    ${failure && html`<p class="invalid" role="alert">${failure}</p>`}
    ${!name && field("entry", "Name")}
    ${before && html`<p class="soft">Before</p><pre dir="auto">
      ${before.value_utf8?.slice(0, SHOWN_MAX) ?? `binary, ${bytesOf(before.value).length} bytes`}</pre>`}
    ${state && !removes && [field("text", "After", { as: Code, json: !plain }), field("plain", "It is text, not JSON")]}
    ${name && field("removes", "Remove the entry")}<//>`;
}
