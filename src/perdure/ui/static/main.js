// @ts-check
import { html, render } from "./vendor/preact-htm.js";
import { usePlace } from "./components/router.js";
import { Shell } from "./components/shell.js";
import { Bulk } from "./pages/bulk.js";
import { Compare } from "./pages/compare.js";
import { Deployments } from "./pages/deployments.js";
import { Invocation } from "./pages/invocation.js";
import { Invocations } from "./pages/invocations.js";
import { Keys, ObjectPage } from "./pages/objects.js";
import { Overview } from "./pages/overview.js";
import { Restart } from "./pages/restart.js";
import { HandlerPage, Service, Services } from "./pages/services.js";
import { Sql } from "./pages/sql.js";
import { Waits } from "./pages/waits.js";

// By the first part of the address, then by how many there are behind it.
const PAGES = {
	"": [Overview],
	bulk: [Bulk],
	compare: [Compare],
	deployments: [Deployments],
	invocations: [Invocations, Invocation, Restart],
	objects: [Services, Keys, ObjectPage],
	services: [Services, Service, HandlerPage],
	sql: [Sql],
	waits: [Waits],
};

function Page() {
	const [first, id, inner] = usePlace().path;
	const pages = Object.hasOwn(PAGES, first) ? PAGES[first] : [];
	// Behind a last slash is an empty key, or nothing.
	const deep = inner || (inner === "" && first === "objects");
	const found = pages[!id ? 0 : deep ? 2 : 1] ?? pages[0];
	if (found) return html`<${found} key=${JSON.stringify([id, inner])} ...${{ id, inner }} />`;
	return html`<h1>There is nothing at this address</h1>`;
}

render(html`<${Shell}><${Page} /><//>`, document.body.children[0]);
