// @ts-check
/** Jobs: what is being done to many invocations, what was refused, and what came of it. */
import { html, useState } from "../vendor/preact-htm.js";
import { query } from "../api/http.js";
import { lookCounts, useAsked } from "../api/rows.js";
import { resumeJob, stopJob, useJobs } from "../components/jobs.js";
import { Link, address } from "../components/router.js";
import { useSettings } from "../components/settings.js";
import { useNow } from "../components/clock.js";
import { Badge } from "../components/status-badge.js";
import { ACTIONS } from "../logic/actions.js";
import { leftOf } from "../logic/bulk.js";
import { literal } from "../logic/filters.js";
import { OPEN, ORDER } from "../logic/status.js";
import { clockTime } from "../logic/time.js";

/** @typedef {import("../logic/bulk.js").Job} Job */

const STATES = /** @type {Record<string, string>} */ ({ running: "is running", stopped: "was stopped", interrupted: "was interrupted when the page was left", failed: "failed", done: "is through" });

/** @param {{id?: string}} props */
export function Bulk({ id }) {
  const jobs = useJobs();
  const job = jobs.find((one) => one.id === id);
  if (job) return html`<${Progress} key=${job.id} job=${job} />`;
  return html`<div class="head"><h1>Jobs of this tab</h1></div>
    ${id && html`<p class="invalid">This tab knows no job ${id}: jobs belong to the tab in which they were begun.</p>`}
    ${jobs.length === 0 ? html`<p class="empty">None. Tick rows of the list of invocations and choose an operation.</p>`
      : html`<ul>${jobs.map((one) => html`<li key=${one.id}><${Link} to=${address(["bulk", one.id])}>${ACTIONS[one.action].word}: <bdi>${one.words}</bdi><//> ${STATES[one.state]}, ${one.done} of ${one.total}</li>`)}</ul>`}`;
}

/** @param {{job: Job}} props */
function Progress({ job }) {
  const { zone } = useSettings();
  const now = useNow();
  const left = leftOf(job);
  const through = job.done + job.failed + job.unknown;
  return html`<div class="head"><h1>${ACTIONS[job.action].word}: ${job.total} ${job.total === 1 ? "invocation" : "invocations"}</h1>
      <span class="grow"></span>
      ${job.state === "running" && html`<button class="danger" onClick=${() => stopJob(job.id)}>Stop</button>`}
      ${job.state !== "running" && job.state !== "done" && left > 0 && html`<button class="primary" onClick=${() => resumeJob(job.id)}>Go on with the ${left} left</button>`}</div>
    <p><bdi>${job.words}</bdi> · begun ${clockTime(job.begun, zone, now)}${job.reason && html` · reason: <bdi>${job.reason}</bdi>`}</p>
    <progress aria-label="Progress" max=${Math.max(job.total, through, 1)} value=${job.state === "done" ? Math.max(job.total, 1) : through}></progress>
    <p role="status" data-state=${job.state}>The job ${STATES[job.state]}: <b>${job.done}</b> ${ACTIONS[job.action].done.toLowerCase()}, <b>${job.failed}</b> refused${job.unknown ? html`, <b>${job.unknown}</b> unknown` : ""}${job.state !== "done" ? `, ${left} left` : ""}.</p>
    ${job.problem && html`<p class="invalid" role="alert">${job.problem}</p>`}
    <${Outcome} job=${job} />
    ${job.failures.length > 0 && html`<h2>Refused</h2><div class="scroll"><table><thead><tr><th scope="col">Invocation</th><th scope="col">Why</th></tr></thead>
      <tbody>${job.failures.map(({ id, error }) => html`<tr key=${id}><td class="mono"><${Link} to=${address(["invocations", id])}>${id}<//></td><td dir="auto">${error}</td></tr>`)}</tbody></table></div>
      ${job.failed > job.failures.length && html`<p class="soft">The first ${job.failures.length} of ${job.failed} are shown.</p>`}`}
    <p><${Link} to=${address(["bulk"])}>Other jobs of this tab<//> · <${Link} to=${address(["invocations"])}>Invocations<//></p>`;
}

const OUTCOME_MS = 1500;

/** How those are now that were hit: a cancel that was requested has not ended anything yet. @param {{job: Job}} props */
function Outcome({ job }) {
  const [counts, setCounts] = useState(/** @type {Record<string, number> | null} */ (null));
  const { watched } = job;
  useAsked(async (signal) => {
    if (!watched.length) return;
    const ids = `id IN (${watched.map(literal).join(", ")})`;
    const by = await lookCounts(ids, signal);
    const cancelling = by && (await query(`SELECT count(*) AS n FROM sys_invocation WHERE ${ids} AND cancelling IS NOT NULL`, signal))[0].n;
    setCounts({ ...by, cancelling });
  }, OUTCOME_MS, [watched.length, job.state]);
  if (!watched.length || !counts) return null;
  const there = ORDER.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const open = OPEN.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  return html`<h2>${job.action === "restart-as-new" ? "How the new ones are now" : "How they are now"}</h2>
    <div class="legend" data-outcome>${ORDER.filter((name) => counts[name]).map((name) => html`<${Badge} key=${name} name=${name} count=${counts[name]} />`)}
      ${there < watched.length && html`<span class="badge">${watched.length - there} are no more</span>`}</div>
    <p class="soft">${job.action === "cancel" ? `${there - open} of ${watched.length} have completed${counts.cancelling ? `, ${counts.cancelling} wait for what they call` : ""}.` : ""}
      ${job.done > watched.length ? ` The first ${watched.length} are watched.` : ""}</p>`;
}
