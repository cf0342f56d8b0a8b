// @ts-check
import { html, render } from "./vendor/preact-htm.js";
import { Shell } from "./components/shell.js";
import { apply } from "./components/settings.js";
import { usePlace } from "./components/router.js";
import { Invocations } from "./pages/invocations.js";
import { Invocation } from "./pages/invocation.js";
import { Bulk } from "./pages/bulk.js";
import { Compare } from "./pages/compare.js";
import { Overview } from "./pages/overview.js";
import { Restart } from "./pages/restart.js";
import { Sql } from "./pages/sql.js";

function Page() {
  const { path } = usePlace();
  const [first, second, third] = path;
  if (!first) return html`<${Overview} />`;
  if (first === "bulk") return html`<${Bulk} id=${second} />`;
  if (first === "compare") return html`<${Compare} />`;
  if (first === "invocations" && second && third === "restart") return html`<${Restart} key=${second} id=${second} />`;
  if (first === "invocations") return second ? html`<${Invocation} key=${second} id=${second} />` : html`<${Invocations} />`;
  if (first === "sql") return html`<${Sql} />`;
  return html`<h1>There is nothing at this address</h1><p>The places of this page are on the left.</p>`;
}

apply();
render(html`<${Shell}><${Page} /><//>`, /** @type {Element} */ (document.getElementById("app")));
