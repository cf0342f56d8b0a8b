// @ts-check
/** What is filtered: search field, chips, the bar of statuses, views that were kept. */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { FIELDS, NOTHING, isEmpty, parts, time, valueWord, withTyped, withValue } from "../logic/filters.js";
import { LOOKS, OPEN, ORDER } from "../logic/status.js";
import { Badge } from "./status-badge.js";
import { change, useSettings } from "./settings.js";
import { Link, address } from "./router.js";

/** @typedef {import("../logic/filters.js").Filters} Filters */
/** @typedef {import("../logic/filters.js").Field} Field */

const PRESETS = /** @type {[string, string][]} */ ([
  ["All", ""], ["Open", OPEN.map((name) => `status=${name}`).join("&")], ["Needs you", "status=paused&status=backing-off"],
  ["Waits for an answer", "waits=outside"], ["Failed", "status=failed"],
]);

/** Views: those that everybody has, and those that this browser keeps. @param {{search: string}} props */
export function Views({ search }) {
  const { views } = useSettings();
  const [naming, setNaming] = useState(false);
  const name = useRef("");
  const keep = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (name.current) change({ views: [...views.filter((one) => one.name !== name.current), { name: name.current, search }].slice(-30) });
    setNaming(false);
  };
  const current = new URLSearchParams(search);
  const is = (/** @type {string} */ text) => new URLSearchParams(text).toString() === current.toString();
  return html`<nav class="views" aria-label="Views">
    ${PRESETS.map(([word, text]) => html`<${Link} key=${word} class="button" to=${address(["invocations"], new URLSearchParams(text))} aria-current=${is(text) ? "true" : undefined}>${word}<//>`)}
    ${views.map((view) => html`<span class="chip" key=${view.name}>
      <${Link} to=${address(["invocations"], new URLSearchParams(view.search))} aria-current=${is(view.search) ? "true" : undefined}><bdi>${view.name}</bdi><//>
      <button aria-label=${`Forget the view ${view.name}`} onClick=${() => change({ views: views.filter((one) => one !== view) })}>×</button></span>`)}
    ${naming
      ? html`<form class="bar" onSubmit=${keep}><${Focused} /><input aria-label="Name of the view" maxlength="60"
          onInput=${(/** @type {any} */ event) => (name.current = event.target.value.trim())} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && setNaming(false)} />
          <button>Keep</button></form>`
      : search && html`<button class="plain" onClick=${() => setNaming(true)}>Keep this view…</button>`}
  </nav>`;
}

/** One bar of all statuses; a click filters. @param {{counts: Record<string, number> | null, chosen: string[], onToggle: (name: string) => void}} props */
export function StatusBar({ counts, chosen, onToggle }) {
  const present = ORDER.filter((name) => counts?.[name]);
  return html`<div class="stack" aria-hidden="true">
      ${present.map((name) => html`<button key=${name} tabindex="-1" class=${`tone-${LOOKS[name].tone}${LOOKS[name].dashed ? " hatched" : ""}${chosen.length && !chosen.includes(name) ? " faint" : ""}`}
        title=${`${LOOKS[name].word} ${counts?.[name]}`} style=${{ flexGrow: Math.sqrt(counts?.[name] ?? 0) }} onClick=${() => onToggle(name)}></button>`)}
    </div>
    <div class="legend" role="group" aria-label="Filter by status">
      ${ORDER.filter((name) => counts?.[name] || chosen.includes(name) || !counts).map((name) => html`<button key=${name} class="plain" data-status=${name}
        aria-pressed=${chosen.includes(name)} onClick=${() => onToggle(name)}><${Badge} name=${name} count=${counts ? (counts[name] ?? 0) : undefined} /></button>`)}
    </div>`;
}

/** Chips of the filter and the field that adds to it. @param {{filters: Filters, onChange: (filters: Filters) => void}} props */
export function FilterLine({ filters, onChange }) {
  const [field, setField] = useState(/** @type {Field | ""} */ (""));
  const typed = useRef(/** @type {HTMLInputElement | null} */ (null));
  const search = (/** @type {Event} */ event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (typed.current);
    onChange(withTyped(input.value, filters));
    input.value = "";
  };
  return html`<div class="bar filters">
    <form role="search" onSubmit=${search}><input id="search" type="search" ref=${typed} aria-label="Search id, key, target, error; or a field, like service:Agent"
      placeholder="/ search id, key, error…" size="28" dir="auto" /></form>
    ${parts(filters).map(({ field, values, words }) => html`<span key=${field} class="chip" dir="auto">
      <button class="words" aria-label=${`Change: ${words}`} onClick=${() => setField(field)}><bdi class="cut">${words}</bdi></button>
      <button aria-label=${`Remove: ${words}`} title=${values.map((one) => valueWord(field, one)).join(", ")}
        onClick=${() => onChange({ ...filters, [field]: NOTHING[field] })}>×</button></span>`)}
    <select aria-label="Add a filter" value=${field} onChange=${(/** @type {any} */ event) => setField(event.target.value)}>
      <option value="">+ filter</option>
      ${Object.entries(FIELDS).map(([name, word]) => html`<option key=${name} value=${name}>${word}</option>`)}</select>
    ${!isEmpty(filters) && html`<button class="plain" onClick=${() => onChange(NOTHING)}>Clear</button>`}
    ${field && html`<${Add} key=${field} field=${field} filters=${filters} onClose=${() => setField("")} onAdd=${(/** @type {string} */ value) => {
      setField("");
      onChange(withValue(filters, field, value));
    }} />`}
  </div>`;
}

/** Gives the focus to the field behind it. */
function Focused() {
  const mark = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => /** @type {HTMLElement | null | undefined} */ (mark.current?.nextElementSibling)?.focus(), []);
  return html`<span hidden ref=${mark}></span>`;
}

/** @param {{field: Field, filters: Filters, onAdd: (value: string) => void, onClose: () => void}} props */
function Add({ field, filters, onAdd, onClose }) {
  const old = filters[field];
  const [value, setValue] = useState(Array.isArray(old) ? "" : old);
  const moment = field === "after" || field === "before" || field === "ended";
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const said = moment ? time(value) : value;
    if (said) onAdd(said);
  };
  const escape = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && onClose();
  const word = FIELDS[field];
  const set = (/** @type {any} */ event) => setValue(event.target.value);
  if (field === "status" || field === "waits") {
    const names = field === "status" ? ORDER : ["outside"];
    return html`<span class="bar"><${Focused} /><select aria-label=${word} onKeyDown=${escape} onChange=${(/** @type {any} */ event) => onAdd(event.target.value)}>
      <option value="">${word}…</option>${names.map((name) => html`<option key=${name} value=${name}>${valueWord(field, name)}</option>`)}</select></span>`;
  }
  return html`<form class="bar" onSubmit=${submit}><label>${word} <${Focused} /><input type=${moment ? "datetime-local" : "text"} step="1" dir="auto"
      value=${moment && value.endsWith("Z") ? local(value) : value} onInput=${set} onKeyDown=${escape} /></label><button>Add</button></form>`;
}

/** A time as its field wants it: of this place, to the second. @param {string} iso */
function local(iso) {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
