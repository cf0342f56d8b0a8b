// @ts-check
/** Times and durations as people read them. Pure: the time that is "now" is always an argument. */

/** @param {string | null | undefined} iso @returns {number | null} milliseconds since 1970 */
export function millis(iso) {
  if (!iso) return null;
  const value = Date.parse(iso);
  return Number.isNaN(value) ? null : value;
}

const UNITS = /** @type {const} */ ([["d", 86400000], ["h", 3600000], ["m", 60000], ["s", 1000]]);

/**
 * At most two units: `3m 12s`, `4.2s`, `180ms`.
 * @param {number | null | undefined} ms @returns {string}
 */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60000) return `${(Math.floor(ms / 100) / 10).toFixed(ms < 10000 ? 1 : 0)}s`;
  const first = UNITS.findIndex(([, size]) => ms >= size);
  const [name, size] = UNITS[first];
  const whole = Math.floor(ms / size);
  const next = UNITS[first + 1];
  const rest = next ? Math.floor((ms - whole * size) / next[1]) : 0;
  return rest > 0 && next ? `${whole}${name} ${rest}${next[0]}` : `${whole}${name}`;
}

/** `2m 3s ago`, `in 5s`. @param {number | null} at @param {number} now */
export function relative(at, now) {
  if (at === null) return "";
  return at <= now ? `${duration(now - at)} ago` : `in ${duration(at - now)}`;
}

/**
 * A point in time, in the zone that the reader has chosen.
 * @param {number | null} at @param {"utc" | "local"} zone @param {number} now
 */
export function clockTime(at, zone, now) {
  if (at === null) return "";
  const options = /** @type {Intl.DateTimeFormatOptions} */ ({
    hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
    ...(zone === "utc" ? { timeZone: "UTC" } : {}),
  });
  const day = /** @param {number} value */ (value) =>
    new Intl.DateTimeFormat("en-CA", { ...(zone === "utc" ? { timeZone: "UTC" } : {}) }).format(value);
  const time = new Intl.DateTimeFormat("en-GB", options).format(at);
  const name = day(at) === day(now) ? time : `${day(at)} ${time}`;
  return zone === "utc" ? `${name} UTC` : name;
}

/** @param {number | null | undefined} bytes @returns {string} */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1048576) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
