// @ts-check
/** The state of a key as a whole. */

/** @typedef {{key: string, value: string, value_utf8?: string}} Entry as in the table `state`; value: hexadecimal */

/** @param {string} hex */
export function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** What the server compares: base64url of SHA-256. null where the browser computes none: outside of secure contexts. @param {Entry[]} entries */
export async function versionOf(entries) {
  if (!globalThis.crypto?.subtle) return null;
  const named = entries.map((one) => ({ name: new TextEncoder().encode(one.key), value: bytesOf(one.value) }));
  named.sort((a, b) => compare(a.name, b.name));
  /** @type {number[]} */
  const all = [];
  named.forEach(({ name, value }, index) => {
    all.push(0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (index >>> shift) & 255), 1);
    for (const byte of name) all.push(byte);
    all.push(2);
    for (const byte of value) all.push(byte);
    all.push(3);
  });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(all)));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function compare(a, b) {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? a.length - b.length : a[at] - (b[at] ?? -1);
}

/** The state with one entry changed. text: null removes it. @param {Entry[]} entries @param {string} key @param {string | null} text */
export function withEntry(entries, key, text) {
  /** @type {[string, string | number[]][]} */
  const state = entries.filter((one) => one.key !== key).map((one) => [one.key, one.value_utf8 ?? [...bytesOf(one.value)]]);
  if (text !== null) state.push([key, text]);
  return Object.fromEntries(state);
}
