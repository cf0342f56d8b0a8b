// @ts-check
/** Jobs of this tab: operations on many invocations, a request for some of them at a time. They go on while their reader looks elsewhere in the page. */
import { useEffect, useState } from "../vendor/preact-htm.js";
import { ApiError, query, reasonHeaders, request } from "../api/http.js";
import { CHUNK, advanced, batchRequest, newJob, nextSql, passed } from "../logic/bulk.js";
import { serverNow } from "./clock.js";

/** @typedef {import("../logic/bulk.js").Job} Job */

const KEY = "perdure-jobs";
const KEPT = 20;
const RETRY_MS = 1500;
/** @type {Set<() => void>} */
const readers = new Set();
/** @type {Set<string>} ids of those that somebody works on */
const working = new Set();
/** @type {Job[]} the newest first */
let jobs = load();

/** What was running when the page was left is interrupted: nobody goes on by himself. @returns {Job[]} */
function load() {
  try {
    const kept = /** @type {Job[]} */ (JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
    return kept.map((job) => (job.state === "running" ? { ...job, state: "interrupted" } : job));
  } catch {
    return [];
  }
}

/** @param {Job} job */
function put(job) {
  jobs = [job, ...jobs.filter((one) => one.id !== job.id)].sort((a, b) => b.begun - a.begun).slice(0, KEPT);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(jobs));
  } catch {
    // Without storage a job lasts as long as the page.
  }
  for (const reader of readers) reader();
}

/** @param {string} id */
function get(id) {
  return jobs.find((job) => job.id === id);
}

/**
 * @param {string} action @param {{filters: import("../logic/filters.js").Filters, ids: string[] | null, total: number, reason: string, deployment: string}} asked
 * @returns {string} its id
 */
export function startJob(action, asked) {
  const job = newJob(action, { ...asked, now: serverNow(), id: Math.random().toString(36).slice(2, 10) });
  put(job);
  void work(job.id);
  return job.id;
}

/** @param {string} id */
export function stopJob(id) {
  const job = get(id);
  if (job?.state === "running") put({ ...job, state: "stopped" });
}

/** Goes on with what is left. @param {string} id */
export function resumeJob(id) {
  const job = get(id);
  if (!job || working.has(id)) return;
  put({ ...job, state: "running", problem: "" });
  void work(id);
}

/** @param {string} id */
async function work(id) {
  working.add(id);
  try {
    for (let job = get(id); job?.state === "running"; job = get(id)) {
      const ids = await patient(id, () => nextIds(/** @type {Job} */ (job)));
      if (!ids || get(id)?.state !== "running") break;
      if (!ids.length) {
        put({ ...job, ids: job.ids && [], state: "done" });
        break;
      }
      await send(id, job, ids);
    }
  } catch (error) {
    const job = get(id);
    if (job) put({ ...job, state: "failed", problem: /** @type {Error} */ (error).message });
  } finally {
    working.delete(id);
  }
}

/** @param {string} id @param {Job} job @param {string[]} ids */
async function send(id, job, ids) {
  const { path, body } = batchRequest(job, ids);
  const post = () => request("POST", path, { body, headers: reasonHeaders(job.reason) });
  try {
    // To begin anew twice is to begin two: it is not sent again when no answer tells whether it arrived.
    const answer = job.action === "restart-as-new" ? await post() : await patient(id, post);
    if (answer) put({ ...advanced(job, ids, answer), state: get(id)?.state ?? job.state, problem: "" });
  } catch (error) {
    if (!lost(error)) throw error;
    put({ ...passed(job, ids), unknown: job.unknown + ids.length, state: "stopped", problem: `The server did not answer: whether these ${ids.length} were begun anew is not known.` });
  }
}

/** @param {Job} job @returns {Promise<string[]>} */
async function nextIds(job) {
  if (job.ids) return job.ids.slice(0, CHUNK);
  return (await query(nextSql(job))).map((row) => row.id);
}

/** Asks until the server answers or the job is stopped, which gives null. @template T @param {string} id @param {() => Promise<T>} ask @returns {Promise<T | null>} */
async function patient(id, ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!lost(error)) throw error;
      const job = get(id);
      if (job?.state !== "running") return null;
      put({ ...job, problem: "The server does not answer. The job goes on when it is back." });
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** @param {unknown} error */
function lost(error) {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status === 503);
}

/** @returns {Job[]} */
export function useJobs() {
  const [all, set] = useState(jobs);
  useEffect(() => {
    const changed = () => set(jobs);
    readers.add(changed);
    changed();
    return () => void readers.delete(changed);
  }, []);
  return all;
}
