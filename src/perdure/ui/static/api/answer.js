// @ts-check
/** Questions that are asked again and again while somebody looks. */
import { useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { lookSql } from "../logic/filters.js";
import { query } from "./http.js";

/** So many times as long as the last answer took nothing is asked. */
const REST = 8;
const NONE = { data: /** @type {any} */ (null), failure: "" };

/** @type {UseAnswer} */
export const useAnswer = (ask, inputs, every = 3000) => {
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
      const failed = (/** @type {Error} */ { message }) => (old = NONE) => ({ ...old, failure: message });
      const said = await latest.current(signal).then((data) => (old = NONE) =>
        (old.data === data && !old.failure ? old : { data, failure: "" }), failed);
      busy = false;
      if (signal.aborted) return;
      setAnswer(said);
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
};

/** @type {UseAnswer} */
export const useOnce = (ask, inputs) => useAnswer(ask, inputs, 2 ** 31 - 1);

/** How many there are of each, with `n`. @type {CountBy} */
export const countBy = (columns, condition, signal) => {
  const select = Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}, `).join("");
  const group = Object.keys(columns).map((_, index) => index + 1).join();
  const sql = `SELECT ${select}count(*) AS n FROM sys_invocation WHERE ${condition}${group && ` GROUP BY ${group}`}`;
  return query(sql, signal);
};

/** @type {Ask<number>} */
export const countOf = async (condition, signal) => (await countBy({}, condition, signal))[0].n;

/** @type {Ask<Counts>} */
export const lookCounts = async (condition, signal) => {
  /** @type {Counts} */
  const counts = {};
  const columns = { status: "status", result: "completion_result" };
  for (const { status, result, n } of await countBy(columns, condition, signal)) {
    counts[status !== "completed" ? status : result === "success" ? "succeeded" : "failed"] = n;
  }
  // Failures are told apart by text, which is looked at of them alone.
  for (const end of counts.failed ? ["cancelled", "killed"] : []) {
    counts[end] = await countOf(`(${condition}) AND ${lookSql(end)}`, signal);
    counts.failed = Math.max(0, counts.failed - counts[end]);
  }
  return counts;
};
