// @ts-check
/** What is filtered: search field, chips, the bar of statuses, views that were kept. */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { FIELDS, parts, withTyped, withValue, withValues } from "../logic/filters.js";
import { LOOKS, OPEN, ORDER } from "../logic/status.js";
import { Link, address } from "./router.js";
import { change, useSettings } from "./settings.js";
import { StatusBadge } from "./status-badge.js";

const VIEWS_MAX = 30;
const PRESETS = [
  { name: "All", search: "" }, { name: "Open", search: OPEN.map((name) => `status=${name}`).join("&") },
  { name: "Needs you", search: "status=paused&status=backing-off" }, { name: "Failed", search: "status=failed" },
  { name: "Waits for an answer", search: "waits=outside" },
];

/** Views: those that everybody has, and those that this browser keeps. @param {{search: string}} props */
export function Views({ search: current }) {
  const { views } = useSettings();
  const keep = (/** @type {any} */ event) => {
    event.preventDefault();
    const name = event.target.view.value.trim();
    const others = views.filter((one) => one.name !== name);
    if (name) change({ views: [...others, { name, search: current }].slice(-VIEWS_MAX) });
    event.target.hidePopover();
  };
  const link = (/** @type {{name: string, search: string}} */ { name, search }, look = "") =>
    html`<${Link} key=${name} class=${look} to=${address(["invocations"], new URLSearchParams(search))}
      aria-current=${search === current}><bdi>${name}</bdi><//>`;
  return html`<nav class="views" aria-label="Views">
    ${PRESETS.map((view) => link(view, "button"))}
    ${views.map((view) => html`<span class="chip" key=${view.name}>${link(view)}
      <button aria-label="Forget the view ${view.name}"
        onClick=${() => change({ views: views.filter((one) => one !== view) })}>×</button></span>`)}
    ${current && html`<button class="plain" popovertarget="keep">Keep this view…</button>`}
    <form id="keep" popover="auto" onSubmit=${keep}>
      <input name="view" aria-label="Name of the view" maxlength="60" autofocus /> <button>Keep</button></form></nav>`;
}

/** One bar of all statuses; a click filters. @param {{counts: Counts?, chosen: string[], onToggle: (name: string) => void}} props */
export function StatusBar({ counts, chosen, onToggle }) {
  const part = (/** @type {string} */ name, count = 0) => html`<button key=${name} tabindex="-1"
    class="${LOOKS[name].tone} ${chosen.length && !chosen.includes(name) ? "faint" : ""}" title="${LOOKS[name].word} ${count}"
    style=${{ flexGrow: Math.sqrt(count) }} onClick=${() => onToggle(name)}></button>`;
  return html`<div class="stack" aria-hidden="true">
      ${ORDER.filter((name) => counts?.[name]).map((name) => part(name, counts?.[name]))}</div>
    <div class="legend" role="group" aria-label="Filter by status">
      ${ORDER.filter((name) => !counts || counts[name] || chosen.includes(name)).map((name) => html`<button key=${name}
        class="plain" data-status=${name} aria-pressed=${chosen.includes(name)} onClick=${() => onToggle(name)}>
        <${StatusBadge} name=${name} count=${counts && (counts[name] ?? 0)} /></button>`)}</div>`;
}

/** Chips of the filter and the field that adds to it. @param {{filters: Filters, onChange: (filters: Filters) => void}} props */
export function FilterLine({ filters, onChange }) {
  const [adding, add] = useState("");
  const search = (/** @type {any} */ event) => {
    event.preventDefault();
    onChange(withTyped(event.target.search.value, filters));
    event.target.reset();
  };
  const added = (/** @type {string} */ value) => {
    add("");
    if (value) onChange(withValue(filters, adding, value));
  };
  return html`<div class="bar filters">
    <form role="search" onSubmit=${search}><input id="search" type="search" size="28" dir="auto"
      aria-label="Search id, key, target, error; or a field, like service:Agent" placeholder="/ search id, key, error…" /></form>
    ${parts(filters).map(({ field, words }) => html`<span key=${field} class="chip" dir="auto">
      <button class="words" aria-label="Change: ${words}" onClick=${() => add(field)}><bdi class="cut">${words}</bdi></button>
      <button aria-label="Remove: ${words}" title=${words} onClick=${() => onChange(withValues(filters, field, []))}>×</button>
    </span>`)}
    <select aria-label="Add a filter" value=${adding} onChange=${(event) => add(event.target.value)}>
      <option value="">+ filter</option>
      ${Object.entries(FIELDS).map(([name, { word }]) => html`<option key=${name} value=${name}>${word}</option>`)}</select>
    ${filters.size > 0 && html`<button class="plain" onClick=${() => onChange(new URLSearchParams())}>Clear</button>`}
    ${adding && html`<${Add} key=${adding} field=${adding} filters=${filters} onAdd=${added} />`}</div>`;
}

/** Asks for a value; an empty one for none. @param {{field: string, filters: Filters, onAdd: (value: string) => void}} props */
function Add({ field, filters, onAdd }) {
  const { word, many, moment, choices } = FIELDS[field];
  const input = useRef(/** @type {HTMLInputElement?} */ (null));
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onAdd(input.current?.value ?? "");
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && onAdd("");
  if (choices) {
    return html`<select ref=${input} aria-label=${word} onKeyDown=${onKeyDown} onChange=${submit}>
      <option value="">${word}…</option>
      ${Object.entries(choices).map(([value, say]) => html`<option key=${value} value=${value}>${say}</option>`)}</select>`;
  }
  const old = (!many && filters.get(field)) || "";
  return html`<form class="bar" onSubmit=${submit}><label>${word} <input ref=${input} dir="auto" step="1"
    type=${moment ? "datetime-local" : "text"} defaultValue=${moment && old ? local(old) : old} onKeyDown=${onKeyDown} />
    </label><button>Add</button></form>`;
}

/** A time as its field wants it: of this place, to the second. @param {string} iso */
function local(iso) {
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
