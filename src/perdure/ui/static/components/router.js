// @ts-check
/** Where in the page we are: the address is the only place that knows. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";

const BASE = "/ui/";

/** @returns {Place} */
export function here() {
  const path = location.pathname.slice(BASE.length).split("/").map(decodeURIComponent);
  return { path, search: new URLSearchParams(location.search) };
}

/** @param {(string | number)[]} path @param {URLSearchParams | Record<string, string>} [search] */
export function address(path, search) {
  const text = new URLSearchParams(search).toString();
  return BASE + path.map(encodeURIComponent).join("/") + (text && `?${text}`);
}

/** Where the admin API has it. @param {string[]} path */
export function at(...path) {
  return `/${path.map(encodeURIComponent).join("/")}`;
}

/** Goes somewhere. replace: without a step for the back button. */
export function go(to = "", { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", to);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Changes the search part alone. @param {URLSearchParams} search @param {{replace?: boolean}} [options] */
export function search(search, options) {
  go(address(here().path, search), options);
}

/** The place, kept up to date. */
export function usePlace() {
  const [place, set] = useState(here);
  useEffect(() => {
    const changed = () => set(here());
    addEventListener("popstate", changed);
    return () => removeEventListener("popstate", changed);
  }, []);
  return place;
}

/** A link that stays inside the page, and a plain link to everything that opens it elsewhere. @param {any} props */
export function Link({ to, children, ...rest }) {
  const clicked = (/** @type {MouseEvent} */ event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return html`<a href=${to} onClick=${clicked} ...${rest}>${children}</a>`;
}

/**
 * A link to a place, by the last part of its path unless there is another text.
 * @param {string[]} path @param {unknown} [text] @param {Record<string, string> | URLSearchParams} [search]
 * @param {object} [rest]
 */
export function link(path, text = path.at(-1), search, rest) {
  return html`<${Link} to=${address(path, search)} ...${rest}><bdi>${text}</bdi><//>`;
}

/** To an invocation or a deployment. */
export function idLink(id = "") {
  return link([id.startsWith("dp_") ? "deployments" : "invocations", id], id, {}, { class: "mono" });
}
