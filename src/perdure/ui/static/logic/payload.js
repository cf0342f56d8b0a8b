// @ts-check
/** Payloads as people read them, and ids that are made of bytes. */

/** How much of a value is shown before somebody asks for all of it, in characters. */
export const SHOWN_MAX = 20000;
const INDENTED_MAX = 1 << 20;
const DEPTH_MAX = 100;

/** @typedef {{text: string, kind: "json" | "text" | "binary" | "empty", size: number}} Shown */

/**
 * JSON is indented, other text stays as it is, and what is neither becomes hexadecimal digits.
 * @param {ArrayLike<number>} bytes @returns {Shown}
 */
export function shown(bytes) {
  const size = bytes.length;
  if (!size) return { text: "", kind: "empty", size };
  const array = bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(array);
  } catch {
    return { text: hex(array), kind: "binary", size };
  }
  try {
    const value = JSON.parse(text);
    // Numbers that JavaScript cannot hold would come out as others, and deep ones would be nothing but spaces.
    const plain = size > INDENTED_MAX || /\d{16}/.test(text) || depth(text) > DEPTH_MAX;
    return { text: plain ? text : JSON.stringify(value, null, 2), kind: "json", size };
  } catch {
    return /[\x00-\x08\x0e-\x1f]/.test(text) ? { text: hex(array), kind: "binary", size } : { text, kind: "text", size };
  }
}

/** Brackets in texts are counted too: this is about how it looks alone. @param {string} text */
function depth(text) {
  let most = 0;
  let now = 0;
  for (const [sign] of text.matchAll(/[[\]{}]/g)) most = Math.max(most, (now += sign === "[" || sign === "{" ? 1 : -1));
  return most;
}

/** Pairs of digits, sixteen bytes in a line. @param {Uint8Array} bytes */
function hex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    lines.push(Array.from(bytes.subarray(at, at + 16), (byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

/** The beginning of a value in one line. @param {ArrayLike<number>} bytes @param {number} [most] characters */
export function preview(bytes, most = 120) {
  const start = Uint8Array.from(Array.prototype.slice.call(bytes, 0, most * 4));
  const text = new TextDecoder().decode(start);
  if (/[\x00-\x08\x0e-\x1f]|\ufffd(?!$)/.test(text)) return "binary";
  return oneLine(text, most) + (bytes.length > start.length && text.length <= most ? "…" : "");
}

/** @param {string} text @param {number} most */
export function oneLine(text, most) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** The field of a message that holds its value, where it is not the one of completions. @type {Record<string, number>} */
const FIELDS = {
  "Command: Input": 14, "Command: Output": 14, "Command: GetEagerState": 14, "Command: SetState": 3, "Command: Call": 3,
  "Command: OneWayCall": 3, "Command: CompletePromise": 2, "Command: CompleteAwakeable": 2,
};
const PLAIN = new Set(["Command: Call", "Command: OneWayCall"]);

/**
 * The value in the stored bytes of an entry, empty when there is none.
 * @param {string} entryType as in `sys_journal` @param {string} raw hexadecimal
 */
export function payloadOf(entryType, raw) {
  const bytes = new Uint8Array(raw.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(raw.slice(at * 2, at * 2 + 2), 16);
  const value = field(bytes, FIELDS[entryType] ?? 5);
  return PLAIN.has(entryType) ? value : field(value, 1);
}

/** A field of a protobuf message that is a string of bytes. @param {Uint8Array} message @param {number} wanted @returns {Uint8Array} */
function field(message, wanted) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < message.length) {
    const tag = number();
    const kind = tag & 7;
    if (kind === 2) {
      const length = number();
      if (Math.floor(tag / 8) === wanted) return message.subarray(at, at + length);
      at += length;
    } else if (kind === 0) number();
    else at += kind === 1 ? 8 : 4;
  }
  return new Uint8Array();
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The id under which an awakeable of an invocation is resolved. @param {string} invocation @param {number} signal its number */
export function awakeableId(invocation, signal) {
  const body = invocation.slice("inv_1".length);
  const bytes = [...unpacked(body.slice(0, 11), 8), ...unpacked(body.slice(11), 16)];
  for (const shift of [24, 16, 8, 0]) bytes.push((signal >>> shift) & 255);
  return `sign_1${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** @param {string} text base 62 of a little-endian number @param {number} size bytes */
function unpacked(text, size) {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(DIGITS.indexOf(digit));
  return Array.from({ length: size }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));
}
