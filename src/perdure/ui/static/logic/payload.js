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

// The field that holds the value, where it is not that of completions.
const FIELDS = {
	Input: 14, Output: 14, GetEagerState: 14, SetState: 3, Call: 3, OneWayCall: 3, CompletePromise: 2,
	CompleteAwakeable: 2,
};

// The value in an entry as it is stored; raw: hexadecimal.
export function payloadOf(type, raw) {
	const bytes = Uint8Array.from({ length: raw.length / 2 }, (_, at) => parseInt(raw.slice(at * 2, at * 2 + 2), 16));
	const command = type.replace("Command: ", "");
	const value = field(bytes, FIELDS[command] ?? 5);
	return /^(OneWay)?Call$/.test(command) ? value : field(value, 1);
}

// A field of a protobuf message that has nothing but varints and bytes.
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
