// @ts-check
/** What this browser remembers for its reader. */
import { useEffect, useState } from "../vendor/preact-htm.js";

/** @typedef {{scheme: "system" | "light" | "dark", zone: "local" | "utc", views: {name: string, search: string}[], queries: string[]}} Settings */

/** @type {Settings} */
const DEFAULTS = { scheme: "system", zone: "local", views: [], queries: [] };
const KEY = "perdure";
/** @type {Set<(settings: Settings) => void>} */
const readers = new Set();
let current = load();

/** @returns {Settings} */
function load() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...DEFAULTS };
  }
}

export function settings() {
  return current;
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
  if (current.scheme === "system") delete document.documentElement.dataset.scheme;
  else document.documentElement.dataset.scheme = current.scheme;
}

export function useSettings() {
  const [value, set] = useState(current);
  useEffect(() => {
    readers.add(set);
    return () => void readers.delete(set);
  }, []);
  return value;
}
