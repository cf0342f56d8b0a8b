// @ts-check
import { html } from "../vendor/preact-htm.js";
import { store } from "../api/store.js";

const BASE = "/ui/";

/** @returns {Place} */
export const here = () => ({
	path: location.pathname.slice(BASE.length).split("/").map(decodeURIComponent),
	search: new URLSearchParams(location.search),
});

const joined = (path) => path.map(encodeURIComponent).join("/");

/** @type {Address} */
export function address(path, search) {
	const text = new URLSearchParams(search).toString();
	return BASE + joined(path) + (text && `?${text}`);
}

/** Where the admin API has it. */
export const at = (...path) => `/${joined(path)}`;

/** replace: without a step for the back button. */
export function go(to, { replace = false } = {}) {
	history[replace ? "replaceState" : "pushState"](null, "", to);
	dispatchEvent(new PopStateEvent("popstate"));
}

export const setSearch = (search, options) => go(address(here().path, search), options);

const place = store(here());
addEventListener("popstate", () => place.set(here()));
export const usePlace = place.use;

/** Stays inside the page, and is a plain link to everything that opens it elsewhere. */
export function Link({ to, children, ...rest }) {
	const clicked = (event) => {
		if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
		event.preventDefault();
		go(to);
	};
	return html`<a href=${to} onClick=${clicked} ...${rest}>${children}</a>`;
}

/** @type {MakeLink} */
export const link = (path, text = path.at(-1), search, rest) =>
	html`<${Link} to=${address(path, search)} ...${rest}><bdi>${text}</bdi><//>`;

/** To an invocation or a deployment. */
export const idLink = (id, text = id) =>
	link([id.startsWith("dp_") ? "deployments" : "invocations", id], text, {}, { class: "mono" });

export const shortLink = (id) => idLink(id, `${id.slice(0, 14)}…`);
