// @ts-check
/** The time that is now, as the server sees it. All are milliseconds. */
import { useEffect, useState } from "../vendor/preact-htm.js";

let ahead = 0;

/** @param {string} iso what the server said */
export function setServerTime(iso) {
  ahead = Date.parse(iso) - Date.now();
}

export const serverNow = () => Date.now() + ahead;

/** The time, drawn again every so often. */
export function useNow(every = 1000) {
  const [now, set] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => set(serverNow()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
