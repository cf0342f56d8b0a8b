// @ts-check
import { Toasts, change, html, link, useGet, usePlace, useSettings } from "./kit.js";

const PLACES = ["Overview", "Invocations", "Waits", "Objects", "Services", "Deployments", "SQL"];

export function Shell({ children }) {
	const [current] = usePlace().path;
	const settings = useSettings();
	const lost = useGet("/health").failure;
	const place = (word) => {
		const name = word === "Overview" ? "" : word.toLowerCase();
		return link([name], word, {}, { "aria-current": current === name && "page" });
	};
	const choice = (label, name, ...options) => html`<label>${label} <select value=${settings[name]}
		onInput=${(event) => change({ [name]: event.target.value })}>
		${options.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>`;
	return html`<a class="skip" href="#main">To the content</a>
		<header class="side">
			${link([""], html`<img src="icon.svg" alt="" />Perdure`, {}, { class: "brand" })}
			<nav aria-label="Pages">${PLACES.map(place)}</nav>
			<div class="foot">${choice("Colours", "scheme", "system", "light", "dark")}
				${choice("Times", "zone", "local", "utc")}</div>
		</header>
		<div>
			${lost && html`<div class="banner invalid" role="alert">${lost} This page waits for it.</div>`}
			<main id="main" tabindex="-1">${children}</main>
		</div><${Toasts} />`;
}
