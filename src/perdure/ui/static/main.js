// @ts-check
import { html, render } from "./vendor/preact-htm.js";
import { Shell } from "./components/shell.js";
import { apply } from "./components/settings.js";
import { usePlace } from "./components/router.js";
import { Deployments } from "./pages/deployments.js";
import { Invocations } from "./pages/invocations.js";
import { Invocation } from "./pages/invocation.js";
import { Bulk } from "./pages/bulk.js";
import { Compare } from "./pages/compare.js";
import { Keys, ObjectPage, Objects } from "./pages/objects.js";
import { Overview } from "./pages/overview.js";
import { Restart } from "./pages/restart.js";
import { Service, Services } from "./pages/services.js";
import { Sql } from "./pages/sql.js";
import { Waits } from "./pages/waits.js";

function Page() {
  const { path } = usePlace();
  const [first, second, third] = path;
  if (!first) return html`<${Overview} />`;
  if (first === "bulk") return html`<${Bulk} id=${second} />`;
  if (first === "compare") return html`<${Compare} />`;
  if (first === "invocations" && second && third === "restart") return html`<${Restart} key=${second} id=${second} />`;
  if (first === "invocations") return second ? html`<${Invocation} key=${second} id=${second} />` : html`<${Invocations} />`;
  if (first === "waits") return html`<${Waits} />`;
  if (first === "objects" && second && third !== undefined) return html`<${ObjectPage} key=${`${second}/${third}`} service=${second} id=${third} />`;
  if (first === "objects") return second ? html`<${Keys} key=${second} service=${second} />` : html`<${Objects} />`;
  if (first === "services") return second ? html`<${Service} key=${second} name=${second} />` : html`<${Services} />`;
  if (first === "deployments") return html`<${Deployments} id=${second} />`;
  if (first === "sql") return html`<${Sql} />`;
  return html`<h1>There is nothing at this address</h1><p>The places of this page are on the left.</p>`;
}

apply();
render(html`<${Shell}><${Page} /><//>`, /** @type {Element} */ (document.getElementById("app")));
