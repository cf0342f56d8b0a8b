// @ts-check

const TEXT = String.raw`"([^"\\\0-\x1f]|\\(["\\/bfnrt]|u[\da-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?`;
const TOKEN = new RegExp(`[ \t\r\n]*([{}[\\],:]|${TEXT}|${NUMBER}|true|false|null)?`, "y");

/** What is wrong, with its place, or "". */
export function faultOf(text = "") {
	try {
		JSON.parse(text);
		return "";
	} catch {
		const { at, want } = stop(text);
		const line = text.slice(0, at).split("\n").length;
		return `line ${line}, column ${at - text.lastIndexOf("\n", at - 1)}: ${want} is expected`;
	}
}

// Browsers word their complaints differently, and some leave the place out.
function stop(text) {
	const open = [];
	let want = "a value";
	for (TOKEN.lastIndex = 0; ;) {
		const token = TOKEN.exec(text)?.[1] ?? "";
		const at = TOKEN.lastIndex - token.length;
		const closing = { "{": "}", "[": "]" }[token];
		const wantsValue = want.startsWith("a value");
		if (want.startsWith("a name") && token[0] === '"') want = '":"';
		else if (want.startsWith(`"${token}"`)) want = token + open.at(-1) === ",}" ? "a name" : "a value";
		else if (wantsValue && closing) {
			open.push(closing);
			want = `a ${token === "{" ? "name" : "value"} or "${closing}"`;
		} else {
			if (want.endsWith(`or "${token}"`)) open.pop();
			else if (!wantsValue || !/[^\]},:]/.test(token)) return { at, want };
			want = open.length ? `"," or "${open.at(-1)}"` : "the end";
		}
	}
}
