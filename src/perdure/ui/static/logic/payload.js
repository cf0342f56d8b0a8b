// @ts-check

// Characters that are shown unasked.
export const SHOWN_MAX = 20000;
const INDENTED_MAX = 1 << 20;
const DEPTH_MAX = 100;
const CONTROL = /[\x00-\x08\x0e-\x1f]/;

// JSON is indented, other text stays, the rest becomes hexadecimal.
export function shown(bytes) {
	const size = bytes.length;
	let text;
	try {
		text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
		const value = JSON.parse(text);
		// Numbers that JavaScript cannot hold would come out as others, deep values as nothing but spaces.
		const plain = size > INDENTED_MAX || /\d{16}/.test(text) || depth(text) > DEPTH_MAX;
		return { kind: "json", text: plain ? text : JSON.stringify(value, null, 2), size };
	} catch {
		if (text === undefined || CONTROL.test(text)) return { kind: "binary", text: hex(bytes), size };
		return { kind: text ? "text" : "empty", text, size };
	}
}

// Brackets in texts count too: this is about looks alone.
function depth(text) {
	let [most, now] = [0, 0];
	for (const [sign] of text.matchAll(/[[\]{}]/g)) most = Math.max(most, (now += "[{".includes(sign) ? 1 : -1));
	return most;
}

function hex(bytes) {
	const pair = (byte, at) => byte.toString(16).padStart(2, "0") + (at % 16 === 15 ? "\n" : " ");
	return Array.from(bytes, pair).join("").trim();
}

export function preview(bytes, most = 120) {
	const text = new TextDecoder().decode(Uint8Array.from(bytes.slice(0, most * 4)));
	if (CONTROL.test(text) || /\ufffd(?!$)/.test(text)) return "binary";
	return oneLine(text, most) + (bytes.length > most * 4 && text.length <= most ? "…" : "");
}

export function oneLine(text, most = 120) {
	const line = text.replaceAll(/\s+/g, " ").trim();
	return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** Of bytes as SQL gives them. */
export const bytesOf = (hex = "") =>
	Uint8Array.from({ length: hex.length / 2 }, (_, at) => parseInt(hex.slice(at * 2, at * 2 + 2), 16));

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export function awakeableId(invocation, signal) {
	const number = [24, 16, 8, 0].map((shift) => (signal >>> shift) & 255);
	const bytes = [...unpacked(invocation.slice(5, 16), 8), ...unpacked(invocation.slice(16), 16), ...number];
	return `sign_1${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

// Bytes of a little-endian number in base 62.
function unpacked(text, length) {
	let value = 0n;
	for (const digit of text) value = value * 62n + BigInt(DIGITS.indexOf(digit));
	return Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));
}
