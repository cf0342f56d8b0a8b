// @ts-check
/** The state of a key as a whole. */

/** @param {string} hex */
export function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const encoded = (/** @type {string} */ text) => new TextEncoder().encode(text);

/** What the server compares: base64url of SHA-256. null where the browser computes none: outside of secure contexts. @param {StateEntry[]} entries */
export async function versionOf(entries) {
  if (!globalThis.crypto?.subtle) return null;
  const named = entries.map((one) => ({ name: encoded(one.key), value: bytesOf(one.value) })).sort((a, b) => compare(a.name, b.name));
  const all = named.flatMap(({ name, value }, index) =>
    [0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (index >>> shift) & 255), 1, ...name, 2, ...value, 3]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(all)));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function compare(a, b) {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
}

/** The state with one entry changed. text: null removes it. @param {StateEntry[]} entries @param {string} key @param {string | null} text */
export function withEntry(entries, key, text) {
  /** @type {Record<string, string | number[]>} */
  const state = Object.fromEntries(entries.filter((one) => one.key !== key).map((one) => [one.key, one.value_utf8 ?? [...bytesOf(one.value)]]));
  return text === null ? state : { ...state, [key]: text };
}

/** Whether the state is what was wanted. @param {StateEntry[]} entries @param {Record<string, string | number[]>} wanted */
export function same(entries, wanted) {
  const bytes = (/** @type {string | number[]} */ value) => (typeof value === "string" ? [...encoded(value)] : value).join();
  return entries.length === Object.keys(wanted).length
    && entries.every(({ key, value }) => Object.hasOwn(wanted, key) && bytesOf(value).join() === bytes(wanted[key]));
}
