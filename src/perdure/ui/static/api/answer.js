// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";
import { request } from "./http.js";
import { useAsked } from "./rows.js";

const EVERY_MS = 3000;

/**
 * What `ask` gives, kept up to date while somebody looks.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs @returns {Asked<T>}
 */
export function useAnswer(ask, inputs) {
  const [answer, setAnswer] = useState({ data: /** @type {T | null} */ (null), failure: "" });
  const [turn, setTurn] = useState(0);
  useEffect(() => setAnswer({ data: null, failure: "" }), inputs);
  useAsked(async (signal) => {
    try {
      const data = await ask(signal);
      if (!signal.aborted) setAnswer({ data, failure: "" });
    } catch (error) {
      if (!signal.aborted) setAnswer((old) => ({ ...old, failure: /** @type {Error} */ (error).message }));
    }
  }, EVERY_MS, [...inputs, turn]);
  return { ...answer, again: () => setTurn((turn) => turn + 1) };
}

/** The same of one address. @param {string} path @returns {Asked<any>} */
export function useGet(path) {
  return useAnswer((signal) => request("GET", path, { signal }), [path]);
}
