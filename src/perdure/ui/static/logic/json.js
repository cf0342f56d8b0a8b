// @ts-check
/** JSON that people type: whether it is some, and where it stops being some. */

const TOKEN = /[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** What is wrong, with its place, or "" for JSON. @param {string} text */
export function faultOf(text) {
  try {
    JSON.parse(text);
    return "";
  } catch {
    const { at, want } = stop(text);
    const before = text.slice(0, at).split("\n");
    return `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}: ${want} is expected`;
  }
}

/** Browsers word their complaints differently, and some leave the place out. @param {string} text */
function stop(text) {
  /** @type {string[]} what closes the open brackets */
  const open = [];
  let want = "a value";
  for (let at = 0; ; at = TOKEN.lastIndex) {
    at += text.slice(at).search(/[^ \t\r\n]|$/);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0] ?? "";
    const wantsValue = want.startsWith("a value");
    if (token && token === open.at(-1) && want.endsWith(`"${token}"`)) open.pop();
    else if (wantsValue && (token === "{" || token === "[")) {
      open.push(token === "{" ? "}" : "]");
      want = token === "{" ? 'a name or "}"' : 'a value or "]"';
      continue;
    } else if (want.startsWith("a name") && token.startsWith('"')) {
      want = '":"';
      continue;
    } else if (token && ((want === '":"' && token === ":") || (want.startsWith('","') && token === ","))) {
      want = token === "," && open.at(-1) === "}" ? "a name" : "a value";
      continue;
    } else if (!wantsValue || !token || "]},:".includes(token)) return { at, want };
    want = open.length ? `"," or "${open.at(-1)}"` : "the end";
  }
}
