// @ts-check
/** Questions that are asked again and again while somebody looks. */
import { useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { lookSql } from "../logic/filters.js";
import { query, request } from "./http.js";

/** So many times as long as the last answer took nothing is asked. */
const REST = 8;
const NONE = { data: /** @type {any} */ (null), failure: "" };

/**
 * What `ask` gives, kept up to date: every so many milliseconds, and more seldom where the answer takes long.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs other ones: all is new
 * @param {number} [every] @returns {Asked<T>}
 */
export function useAnswer(ask, inputs, every = 3000) {
  const [answer, setAnswer] = useState(NONE);
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => setAnswer(NONE), inputs);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let timer = 0;
    let busy = false;
    const round = async () => {
      clearTimeout(timer);
      if (busy || document.hidden) return;
      busy = true;
      const began = performance.now();
      const said = await latest.current(signal).then((data) => ({ data, failure: "" }), (error) => ({ failure: error.message }));
      busy = false;
      if (signal.aborted) return;
      setAnswer((old) => ({ ...old, ...said }));
      timer = setTimeout(round, Math.max(every, (performance.now() - began) * REST));
    };
    document.addEventListener("visibilitychange", round, { signal });
    void round();
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [...inputs, turn]);
  return { ...answer, again: () => setTurn((turn) => turn + 1) };
}

/** The same, asked once. @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs */
export const useOnce = (ask, inputs) => useAnswer(ask, inputs, 2 ** 31 - 1);

/** The same of one address. @param {string} path @returns {Asked<any>} */
export const useGet = (path) => useAnswer((signal) => request("GET", path, { signal }), [path]);

/** How many invocations have each look. @param {string} condition @param {AbortSignal} [signal] */
export async function lookCounts(condition, signal) {
  const select = "SELECT status, completion_result AS result, count(*) AS n FROM sys_invocation";
  /** @type {Counts} */
  const counts = {};
  for (const { status, result, n } of await query(`${select} WHERE ${condition} GROUP BY 1, 2`, signal)) {
    counts[status !== "completed" ? status : result === "success" ? "succeeded" : "failed"] = n;
  }
  if (!counts.failed) return counts;
  // Failures are told apart by text, which is looked at of them alone.
  for (const end of ["cancelled", "killed"]) {
    counts[end] = await countOf(`(${condition}) AND ${lookSql(end)}`, signal);
    counts.failed = Math.max(0, counts.failed - counts[end]);
  }
  return counts;
}

/** @param {string} condition @param {AbortSignal} [signal] @returns {Promise<number>} */
export async function countOf(condition, signal) {
  return (await query(`SELECT count(*) AS n FROM sys_invocation WHERE ${condition}`, signal))[0].n;
}
