// @ts-check
import { FIELDS, parts, withTyped, withValue, withValues } from "../logic/filters.js";
import { LOOKS, OPEN, ORDER } from "../logic/status.js";
import { html, link, useLayoutEffect, useRef, useState } from "./kit.js";
import { change, useSettings } from "./settings.js";
import { StatusBadge } from "./status-badge.js";

const VIEWS_MAX = 30;
const PRESETS = {
  All: "", Open: OPEN.map((name) => `status=${name}`).join("&"), "Needs you": "status=paused&status=backing-off",
  "Waits for an answer": "waits=outside", Failed: "status=failed",
};

/** @param {{search: string}} props */
export function Views({ search }) {
  const { views } = useSettings();
  const to = (name = "", wanted = "", look = "") =>
    link(["invocations"], name, new URLSearchParams(wanted), { class: look, "aria-current": wanted === search });
  const keep = (/** @type {any} */ event) => {
    event.preventDefault();
    const name = event.target.view.value.trim();
    const others = views.filter((one) => one.name !== name);
    if (name) change({ views: [...others, { name, search }].slice(-VIEWS_MAX) });
    event.target.hidePopover();
  };
  return html`<nav class="views" aria-label="Views">
    ${Object.entries(PRESETS).map(([name, wanted]) => to(name, wanted, "button"))}
    ${views.map((view) => html`<span class="chip" key=${view.name}>${to(view.name, view.search)}
      <button aria-label="Forget the view ${view.name}"
        onClick=${() => change({ views: views.filter((one) => one !== view) })}>×</button></span>`)}
    ${search && html`<button class="plain" popovertarget="keep">Keep this view…</button>`}
    <form id="keep" popover="auto" onSubmit=${keep}>
      <label>Name of the view <input name="view" maxlength="60" autofocus /></label> <button>Keep</button></form>
  </nav>`;
}

/** @param {StatusBarProps} props */
export function StatusBar({ counts, chosen, onToggle }) {
  const all = ORDER.map((look) => ({ look, ...LOOKS[look], n: counts?.[look] ?? 0, isChosen: chosen.includes(look) }));
  const shown = all.filter(({ n, isChosen }) => n || isChosen);
  return html`<div class="stack" aria-hidden="true">
      ${shown.map(({ look, word, tone, n, isChosen }) => html`<button key=${look} tabindex="-1" title="${word} ${n}"
        class="tone-${tone} ${chosen[0] && !isChosen ? "faint" : ""}" style=${{ flexGrow: Math.sqrt(n) }}
        onClick=${() => onToggle(look)}></button>`)}</div>
    <div class="legend" role="group" aria-label="Filter by status">
      ${shown.map(({ look, n, isChosen }) => html`<button key=${look} class="plain" data-status=${look}
        aria-pressed=${isChosen} onClick=${() => onToggle(look)}><${StatusBadge} name=${look} count=${n} /></button>`)}
    </div>`;
}

/** @param {FilterLineProps} props */
export function FilterLine({ filters, onChange }) {
  const [adding, add] = useState("");
  const search = (/** @type {any} */ event) => {
    event.preventDefault();
    onChange(withTyped(event.target.search.value, filters));
    event.target.reset();
  };
  const added = (value = "") => {
    add("");
    if (value) onChange(withValue(filters, adding, value));
  };
  return html`<div class="bar filters">
    <form role="search" onSubmit=${search}><input id="search" type="search" size="28" dir="auto"
      placeholder="/ search id, key, error…" aria-label="Search id, key, error; or a field, as service:Agent" /></form>
    ${parts(filters).map(({ field, words }) => html`<span key=${field} class="chip" dir="auto">
      <button class="words" aria-label="Change: ${words}" onClick=${() => add(field)}>
        <bdi class="cut">${words}</bdi></button>
      <button aria-label="Remove: ${words}" title=${words}
        onClick=${() => onChange(withValues(filters, field, []))}>×</button></span>`)}
    <select aria-label="Add a filter" value=${adding} onChange=${(event) => add(event.target.value)}>
      <option value="">+ filter</option>
      ${Object.entries(FIELDS).map(([field, { word }]) => html`<option value=${field}>${word}</option>`)}</select>
    ${filters.size > 0 && html`<button class="plain" onClick=${() => onChange(new URLSearchParams())}>Clear</button>`}
    ${adding && html`<${Add} key=${adding} field=${adding} old=${filters.get(adding)} onAdd=${added} />`}</div>`;
}

/** @param {AddProps} props */
function Add({ field, old, onAdd }) {
  const { word, many, moment, choices } = FIELDS[field];
  const input = useRef(null);
  useLayoutEffect(() => input.current.focus(), []);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && onAdd();
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    onAdd(input.current.value);
  };
  if (choices) {
    return html`<select ref=${input} aria-label=${word} onKeyDown=${onKeyDown} onChange=${add}>
      <option value="">${word}…</option>
      ${Object.entries(choices).map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select>`;
  }
  // The field of a moment wants it as a clock shows it here.
  const shift = new Date(old ?? 0).getTimezoneOffset() * 60000;
  const shown = moment && old ? new Date(Date.parse(old) - shift).toISOString().slice(0, 19) : old;
  return html`<form class="bar" onSubmit=${add}><label>${word} <input ref=${input} dir="auto" step="1"
    type=${moment ? "datetime-local" : "text"} defaultValue=${many ? "" : shown} onKeyDown=${onKeyDown} /></label>
    <button>Add</button></form>`;
}
