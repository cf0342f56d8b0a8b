// @ts-check
/** What the pages of services, deployments, objects and waits are made of. */
import { html, useState } from "../vendor/preact-htm.js";
import { useAnswer } from "../api/answer.js";
import { request } from "../api/http.js";
import { Table, Text, Tick } from "./change.js";

export * from "../api/answer.js";
export * from "../api/http.js";
export * from "../logic/time.js";
export * from "../vendor/preact-htm.js";
export * from "./change.js";
export * from "./clock.js";
export * from "./router.js";
export * from "./settings.js";

/** What an address of the admin API tells, kept up to date. @returns {Asked<any>} */
export function useGet(path = "") {
  return useAnswer((signal) => request("GET", path, { signal }), [path]);
}

/**
 * A page, or what stands for it until there is an answer. beside: what stands beside its title.
 * @template T
 * @param {unknown} title @param {Asked<T>} asked @param {(data: T) => unknown} body @param {unknown} [beside]
 */
export function page(title, { data, failure }, body, beside) {
  // The line is always there: what is below it keeps its place, and what was typed.
  return html`<div class="head"><h1><bdi>${title}</bdi></h1><span class="grow"></span>${beside}</div>
    <p class=${failure ? "invalid" : "soft"} role=${failure ? "alert" : null} hidden=${data && !failure}>
      ${failure || "Loading…"}</p>${data && body(data)}`;
}

/**
 * key: tells rows apart. columns: cells by their heads. empty: said of no rows. chosen: key of the row that is marked.
 * @template T
 * @param {string} label @param {T[]} rows @param {keyof T} key @param {Record<string, (row: T) => unknown>} columns
 */
export function table(label, rows, key, columns, empty = /** @type {unknown} */ (""), chosen = "") {
  if (!rows.length) return empty && html`<p class="empty">${empty}</p>`;
  const cells = Object.values(columns);
  return html`<${Table} label=${label} head=${Object.keys(columns)}>${rows.map((row) => html`
    <tr key=${row[key]} class=${chosen && row[key] === chosen && "chosen"}>
      ${cells.map((cell) => html`<td>${cell(row)}</td>`)}</tr>`)}<//>`;
}

/** @param {Record<string, unknown>} known by name; what is empty is left out */
export function facts(known) {
  const told = Object.entries(known).filter(([, value]) => value);
  return html`<dl class="facts">${told.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** @param {Warning[]} [told] by the server */
export function warnings(told = []) {
  return told.map(({ code, message }) => html`<p class="effect tone-retry">${code} ${message}</p>`);
}

/**
 * Values of a form, and a field for each: a box to tick for a boolean, else a line of text, or what `as` says.
 * @template {Record<string, any>} V @param {V} initial
 */
export function useForm(initial) {
  const [values, set] = useState(initial);
  const field = (name = "", label = "", { as = Text, ...more } = /** @type {any} */ ({})) => {
    const value = values[name];
    const onValue = (/** @type {any} */ now) => set((old) => ({ ...old, [name]: now }));
    if (typeof value === "boolean") return html`<${Tick} label=${label} checked=${value} onValue=${onValue} />`;
    return html`<${as} ...${{ name, label, value, onValue, ...more }} />`;
  };
  return { values, set, field };
}
