// @ts-check
/** JSON that people type: whether it is some, and where it stops being some. */

const TOKEN = /[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

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
  const after = () => (open.length ? `"," or "${open.at(-1)}"` : "the end");
  let want = "a value";
  for (let at = 0; ; ) {
    SPACE.lastIndex = TOKEN.lastIndex = at;
    SPACE.exec(text);
    at = TOKEN.lastIndex = SPACE.lastIndex;
    const token = TOKEN.exec(text)?.[0] ?? "";
    if (token && want.endsWith(`"${token}"`) && token === open.at(-1)) {
      open.pop();
      want = after();
    } else if (want.startsWith("a value") && (token === "{" || token === "[")) {
      open.push(token === "{" ? "}" : "]");
      want = token === "{" ? 'a name or "}"' : 'a value or "]"';
    } else if (want.startsWith("a value") && token && !"]},:".includes(token)) want = after();
    else if (want.startsWith("a name") && token.startsWith('"')) want = '":"';
    else if (want === '":"' && token === ":") want = "a value";
    else if (want.startsWith('","') && token === ",") want = open.at(-1) === "}" ? "a name" : "a value";
    else return { at, want };
    at += token.length;
  }
}
