// @ts-check
/** Questions in SQL that several pages ask. */
import { useEffect } from "../vendor/preact-htm.js";
import { query } from "./http.js";

/**
 * How many invocations have each look. Failures are told apart by text, which is looked at of them alone.
 * @param {string} condition @param {AbortSignal} [signal] @returns {Promise<Record<string, number>>}
 */
export async function lookCounts(condition, signal) {
  const by = await query(`SELECT status, completion_result, count(*) AS n FROM sys_invocation WHERE ${condition} GROUP BY 1, 2`, signal);
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { status, completion_result: result, n } of by) {
    if (status !== "completed") counts[status] = n;
    else if (result === "success") counts.succeeded = n;
    else {
      let rest = n;
      for (const end of ["cancelled", "killed"]) {
        const found = await query(
          `SELECT count(*) AS n FROM sys_invocation WHERE (${condition}) AND status = 'completed' AND completion_result = 'failure' AND completion_failure LIKE '[409%] ${end}%'`, signal);
        counts[end] = found[0].n;
        rest -= found[0].n;
      }
      counts.failed = Math.max(0, rest);
    }
  }
  return counts;
}

/** So many times as long as the last answer took nothing is asked. */
const REST = 8;

/**
 * Asks again and again while the page is visible: every `every` milliseconds, and more seldom where the answer takes long.
 * @param {(signal: AbortSignal) => Promise<void>} ask @param {number} every @param {readonly unknown[]} inputs
 */
export function useAsked(ask, every, inputs) {
  useEffect(() => {
    const controller = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let busy = false;
    const round = async () => {
      busy = true;
      const began = performance.now();
      // What is not answered is asked again; that the server is gone is said by the frame of the page.
      if (!document.hidden) await ask(controller.signal).catch(() => {});
      busy = false;
      if (!controller.signal.aborted) timer = setTimeout(round, Math.max(every, (performance.now() - began) * REST));
    };
    const shown = () => {
      if (document.hidden || busy) return;
      clearTimeout(timer);
      void round();
    };
    document.addEventListener("visibilitychange", shown);
    void round();
    return () => {
      document.removeEventListener("visibilitychange", shown);
      clearTimeout(timer);
      controller.abort();
    };
  }, inputs);
}
