// @ts-check
/** What this browser remembers for its reader. */
import { useEffect, useState } from "../vendor/preact-htm.js";

const KEY = "perdure";
/** @type {Set<(settings: Settings) => void>} */
const readers = new Set();
/** @type {Settings} */
let current = { scheme: "system", zone: "local", views: [], queries: [] };
try {
  current = { ...current, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
} catch {
  // Without storage the defaults hold.
}

/** @param {Partial<Settings>} changed */
export function change(changed) {
  current = { ...current, ...changed };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  apply();
  for (const reader of readers) reader(current);
}

/** Shows the chosen scheme. */
export function apply() {
  document.documentElement.dataset.scheme = current.scheme;
}

export function useSettings() {
  const [value, set] = useState(current);
  useEffect(() => {
    readers.add(set);
    return () => void readers.delete(set);
  }, []);
  return value;
}
