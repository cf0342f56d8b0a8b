// @ts-check
/** What is round every page: where one can go, what the server says of itself, and whether it is there. */
import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { request } from "../api/http.js";
import { Link, address, usePlace } from "./router.js";
import { change, useSettings } from "./settings.js";
import { Toasts } from "./toast.js";

const PLACES = [
  ["", "Overview"], ["invocations", "Invocations"], ["waits", "Waits"], ["objects", "Objects"], ["services", "Services"],
  ["deployments", "Deployments"], ["sql", "SQL"],
];
const PING_MS = 3000;

/** @param {{children?: any}} props */
export function Shell({ children }) {
  const { path } = usePlace();
  const { scheme, zone } = useSettings();
  const lost = useLost();
  const current = path[0] ?? "";
  return html`<a class="skip" href="#main">To the content</a>
  <div class="frame">
    <header class="side">
      <${Link} to=${address([])} class="brand"><img src="icon.svg" alt="" />Perdure<//>
      <nav aria-label="Pages">
        ${PLACES.map(([name, word]) => html`<${Link} key=${name} to=${address(name ? [name] : [])}
          aria-current=${current === name ? "page" : undefined}>${word}<//>`)}
      </nav>
      <div class="foot">
        <label>Colours <select onChange=${(/** @type {any} */ event) => change({ scheme: event.target.value })}>
          ${["system", "light", "dark"].map((name) => html`<option key=${name} value=${name} selected=${name === scheme}>${name}</option>`)}</select></label>
        <label>Times <select onChange=${(/** @type {any} */ event) => change({ zone: event.target.value })}>
          ${["local", "utc"].map((name) => html`<option key=${name} value=${name} selected=${name === zone}>${name}</option>`)}</select></label>
      </div>
    </header>
    <div>
      ${lost && html`<div class="banner" role="alert">The server does not answer. This page goes on by itself when it is back.</div>`}
      <main id="main" class="main" tabindex="-1">${children}</main>
    </div>
  </div>
  <${Toasts} />`;
}

/** Whether the server is gone; asked for while the page is visible. */
function useLost() {
  const [lost, set] = useState(false);
  useEffect(() => {
    const ping = async () => {
      if (document.hidden) return;
      set(await request("GET", "/health").then(() => false, () => true));
    };
    const timer = setInterval(ping, PING_MS);
    return () => clearInterval(timer);
  }, []);
  return lost;
}
