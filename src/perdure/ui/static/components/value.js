// @ts-check
/** A value of a journal: its beginning in a line, and all of it on demand. Text is only ever put in as text. */
import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { query } from "../api/http.js";
import { literal } from "../logic/filters.js";
import { SHOWN_MAX, oneLine, payloadOf, preview, shown } from "../logic/payload.js";
import { size } from "../logic/time.js";
import { toast } from "./toast.js";

/** @typedef {import("../logic/journal.js").Outcome} Outcome */

/** In one line. @param {Outcome} outcome */
export function valueLine(outcome) {
  if (outcome.kind === "failure") return `${outcome.code ? `[${outcome.code}] ` : ""}${oneLine(outcome.message ?? "", 120)}`;
  if (outcome.kind === "keys") return (outcome.keys ?? []).join(", ") || "no keys";
  if (outcome.kind !== "success") return "";
  if (!outcome.bytes) return size(outcome.size);
  return outcome.bytes.length ? preview(outcome.bytes) : "empty";
}

/** The bytes of a value, asked for when they were not sent. @param {string} id of the invocation @param {Outcome | null} outcome */
export function useBytes(id, outcome) {
  const [bytes, setBytes] = useState(/** @type {ArrayLike<number> | null} */ (null));
  const [failure, setFailure] = useState("");
  useEffect(() => {
    setBytes(outcome?.bytes ?? null);
    setFailure("");
    if (outcome?.kind !== "success" || outcome.bytes) return undefined;
    const stop = new AbortController();
    query(`SELECT raw FROM sys_journal WHERE id = ${literal(id)} AND "index" = ${outcome.index}`, stop.signal).then(
      ([row]) => (row ? setBytes(payloadOf(outcome.type, row.raw)) : setFailure("It is not kept any more.")),
      (error) => stop.signal.aborted || setFailure(error.message),
    );
    return () => stop.abort();
  }, [id, outcome?.index, outcome?.kind, outcome?.bytes]);
  return { bytes, failure };
}

/** @param {{id: string, outcome: Outcome}} props */
export function ValueView({ id, outcome }) {
  const { bytes, failure } = useBytes(id, outcome);
  const [all, setAll] = useState(false);
  const value = useMemo(() => (bytes ? shown(bytes) : null), [bytes]);
  if (outcome.kind === "failure") {
    return html`<p class="invalid" dir="auto">${valueLine(outcome)}</p>
      ${outcome.metadata && html`<pre>${JSON.stringify(outcome.metadata, null, 2)}</pre>`}`;
  }
  if (outcome.kind !== "success") return html`<p class="soft">${valueLine(outcome) || "nothing"}</p>`;
  if (failure) return html`<p class="invalid">${failure}</p>`;
  if (!value || !bytes) return html`<p class="soft">Loading ${size(outcome.size)}…</p>`;
  const cut = !all && value.text.length > SHOWN_MAX;
  return html`<div class="bar"><span class="soft">${value.kind} · ${size(value.size)}</span>
      <${Copy} text=${value.text} /><button class="plain" onClick=${() => save(bytes, `${id}-${outcome.index}`)}>Save</button></div>
    <pre dir="auto" tabindex="0" class="value">${cut ? value.text.slice(0, SHOWN_MAX) : value.text}</pre>
    ${cut && html`<button onClick=${() => setAll(true)}>Show all ${size(value.size)}</button>`}`;
}

/** @param {{text: string, word?: string}} props */
export function Copy({ text, word = "Copy" }) {
  return html`<button type="button" class="plain" title=${word} onClick=${() => navigator.clipboard.writeText(text).then(() => toast("Copied"), () => toast("The browser does not let this page copy", "fail"))}>${word}</button>`;
}

/** @param {ArrayLike<number>} bytes @param {string} name */
function save(bytes, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([Uint8Array.from(bytes)]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The one popover of a page, for the value that was asked for last. @param {{id: string, outcome: Outcome, title: string, onClose: () => void}} props */
export function ValuePopover({ id, outcome, title, onClose }) {
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => element.current?.showPopover(), [id, outcome]);
  return html`<div popover="auto" ref=${element} role="dialog" aria-label=${title} class="value-popover"
      onToggle=${(/** @type {any} */ event) => event.newState === "closed" && onClose()}>
    <strong class="mono" dir="auto">${title}</strong><${ValueView} id=${id} outcome=${outcome} /></div>`;
}
