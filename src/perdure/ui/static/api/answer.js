// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";
import { useAsked } from "./rows.js";

const EVERY_MS = 3000;

/**
 * What `ask` gives, kept up to date while somebody looks.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs
 * @returns {{data: T | null, failure: string, again: () => void}} again: asks at once
 */
export function useAnswer(ask, inputs, every = EVERY_MS) {
  const [answer, setAnswer] = useState(/** @type {{data: any, failure: string}} */ ({ data: null, failure: "" }));
  const [turn, setTurn] = useState(0);
  useEffect(() => setAnswer({ data: null, failure: "" }), inputs);
  useAsked(async (signal) => {
    try {
      const data = await ask(signal);
      if (!signal.aborted) setAnswer({ data, failure: "" });
    } catch (error) {
      if (!signal.aborted) setAnswer((/** @type {any} */ old) => ({ ...old, failure: /** @type {Error} */ (error).message }));
    }
  }, every, [...inputs, turn]);
  return { ...answer, again: () => setTurn((turn) => turn + 1) };
}
