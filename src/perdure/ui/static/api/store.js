// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";

/**
 * What several parts of the page show; a storage of the browser may keep it under a key.
 * @template T @param {T} value @param {string} [key] @param {"localStorage" | "sessionStorage"} [kind]
 */
export function store(value, key = "", kind = "localStorage") {
  /** @type {Set<(value: T) => void>} */
  const readers = new Set();
  try {
    value = (key && JSON.parse(window[kind].getItem(key) ?? "null")) || value;
  } catch {
    // Without storage it lasts as long as the page.
  }
  return {
    get: () => value,
    /** @param {T} changed */
    set(changed) {
      value = changed;
      try {
        if (key) window[kind].setItem(key, JSON.stringify(value));
      } catch {}
      for (const reader of readers) reader(value);
    },
    use() {
      const [seen, see] = useState(value);
      useEffect(() => {
        readers.add(see);
        see(value);
        return () => void readers.delete(see);
      }, []);
      return seen;
    },
  };
}
