// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";
import { useAsked } from "./rows.js";

const EVERY_MS = 3000;
/** As long as a timer can be. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * What `ask` gives, kept up to date while somebody looks; `again` asks at once.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs
 * @returns {{data: T | null, failure: string, again: () => void}}
 */
export function useAnswer(ask, inputs, every = EVERY_MS) {
  const [answer, setAnswer] = useState({ data: /** @type {any} */ (null), failure: "" });
  const [turn, setTurn] = useState(0);
  useEffect(() => setAnswer({ data: null, failure: "" }), inputs);
  useAsked(async (signal) => {
    const got = await ask(signal).then((data) => ({ data, failure: "" }), (error) => ({ failure: error.message }));
    if (!signal.aborted) setAnswer((old) => ({ ...old, ...got }));
  }, every, [...inputs, turn]);
  return { ...answer, again: () => setTurn((turn) => turn + 1) };
}

/**
 * The same, asked once.
 * @template T @param {(signal: AbortSignal) => Promise<T>} ask @param {readonly unknown[]} inputs
 */
export function useOnce(ask, inputs) {
  return useAnswer(ask, inputs, NEVER_MS);
}
