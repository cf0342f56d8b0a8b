// @ts-check
/** Payloads as people read them, and ids that are made of bytes. */

/** How much of a value is shown before somebody asks for all of it, in characters. */
export const SHOWN_MAX = 20000;
const INDENTED_MAX = 1 << 20;
const DEPTH_MAX = 100;
const CONTROL = /[\x00-\x08\x0e-\x1f]/;

/** JSON is indented, other text stays as it is, and the rest becomes hexadecimal. @param {ArrayLike<number>} bytes */
export function shown(bytes) {
  const size = bytes.length;
  const [kind, text] = size ? read(Uint8Array.from(bytes)) : ["empty", ""];
  return { text, kind, size };
}

/** @param {Uint8Array} bytes */
function read(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = JSON.parse(text);
    // Numbers that JavaScript cannot hold would come out as others, and deep ones would be nothing but spaces.
    const plain = bytes.length > INDENTED_MAX || /\d{16}/.test(text) || depth(text) > DEPTH_MAX;
    return ["json", plain ? text : JSON.stringify(value, null, 2)];
  } catch {
    return text === undefined || CONTROL.test(text) ? ["binary", hex(bytes)] : ["text", text];
  }
}

/** Brackets in texts are counted too: this is about how it looks alone. @param {string} text */
function depth(text) {
  let most = 0;
  let now = 0;
  for (const [sign] of text.matchAll(/[[\]{}]/g)) most = Math.max(most, (now += "[{".includes(sign) ? 1 : -1));
  return most;
}

/** Sixteen bytes in a line. @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte, at) => byte.toString(16).padStart(2, "0") + (at % 16 === 15 ? "\n" : " ")).join("").trim();
}

/** The beginning of a value in one line. @param {number[]} bytes */
export function preview(bytes, most = 120) {
  const start = bytes.slice(0, most * 4);
  const text = new TextDecoder().decode(Uint8Array.from(start));
  if (CONTROL.test(text) || /\ufffd(?!$)/.test(text)) return "binary";
  return oneLine(text, most) + (bytes.length > start.length && text.length <= most ? "…" : "");
}

/** @param {string} text @param {number} most */
export function oneLine(text, most) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** The field of a message that holds its value, where it is not that of completions. @type {Record<string, number>} */
const FIELDS = { Input: 14, Output: 14, GetEagerState: 14, SetState: 3, Call: 3, OneWayCall: 3, CompletePromise: 2, CompleteAwakeable: 2 };

/** The value in an entry as it is stored. @param {string} type of the entry @param {string} raw hexadecimal */
export function payloadOf(type, raw) {
  const bytes = Uint8Array.from({ length: raw.length / 2 }, (_, at) => parseInt(raw.slice(at * 2, at * 2 + 2), 16));
  const command = type.replace("Command: ", "");
  const value = field(bytes, FIELDS[command] ?? 5);
  return command.endsWith("Call") && command in FIELDS ? value : field(value, 1);
}

/** A field of a protobuf message that has nothing but varints and bytes. @param {Uint8Array} message @param {number} wanted */
function field(message, wanted) {
  let at = 0;
  const number = () => {
    let [value, scale, byte] = [0, 1, 128];
    for (; byte > 127; scale *= 128) value += ((byte = message[at++] ?? 0) & 127) * scale;
    return value;
  };
  while (at < message.length) {
    const [tag, length] = [number(), number()];
    if (tag % 8 !== 2) continue;
    if (tag >> 3 === wanted) return message.subarray(at, at + length);
    at += length;
  }
  return new Uint8Array();
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The id under which an awakeable of an invocation is resolved. @param {string} invocation @param {number} signal */
export function awakeableId(invocation, signal) {
  const body = invocation.slice("inv_1".length);
  const bytes = [...unpacked(body.slice(0, 11), 8), ...unpacked(body.slice(11), 16)];
  for (const shift of [24, 16, 8, 0]) bytes.push((signal >>> shift) & 255);
  return `sign_1${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** @param {string} text base 62 of a little-endian number @param {number} length in bytes */
function unpacked(text, length) {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(DIGITS.indexOf(digit));
  return Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));
}
