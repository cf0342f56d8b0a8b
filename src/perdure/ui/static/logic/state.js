// @ts-check
/** The state of a key as a whole. */

export function bytesOf(hex = "") {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/**
 * What the server compares: base64url of SHA-256. null where the browser computes none: outside of secure contexts.
 * @param {StateEntry[]} entries
 */
export async function versionOf(entries) {
  if (!globalThis.crypto?.subtle) return null;
  const named = entries.map(({ key, value }) => ({ name: new TextEncoder().encode(key), value: bytesOf(value) }));
  named.sort((a, b) => compare(a.name, b.name));
  const all = named.flatMap(({ name, value }, index) =>
    [0, 0, 0, 0, index >>> 24, index >>> 16, index >>> 8, index, 1, ...name, 2, ...value, 3]);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(all)));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function compare(a, b) {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
}

/** The state with one entry changed. text: null removes it. @param {StateEntry[]} entries @param {string | null} text */
export function withEntry(entries, name = "", text = null) {
  const others = entries.filter(({ key }) => key !== name);
  const state = others.map(({ key, value, value_utf8: text }) => [key, text ?? [...bytesOf(value)]]);
  return Object.fromEntries(text === null ? state : [...state, [name, text]]);
}
