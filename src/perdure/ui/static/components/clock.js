// @ts-check
/** The time that is now, as the server sees it; ticking while somebody looks. */
import { useEffect, useState } from "../vendor/preact-htm.js";

let ahead = 0;

/** What the server said the time is. @param {string} iso */
export function setServerTime(iso) {
  ahead = Date.parse(iso) - Date.now();
}

/** Milliseconds since 1970. */
export function serverNow() {
  return Date.now() + ahead;
}

/** Draws again every `every` milliseconds and gives the time. @param {number} [every] */
export function useNow(every = 1000) {
  const [now, set] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => set(serverNow()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
