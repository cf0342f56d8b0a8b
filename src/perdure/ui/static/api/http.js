// @ts-check
/** Requests to the operators' API. Its address is the page's own origin. */

/** What the server answered instead of a result; status 0: no answer came. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** body: becomes JSON. json: is JSON already. Gives the decoded JSON, or null for an empty answer.
 * @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} */
export async function request(method, path, { body, json = JSON.stringify(body), headers, signal } = {}) {
  const type = json === undefined ? undefined : { "content-type": "application/json" };
  const init = { method, body: json, signal, headers: { accept: "application/json", ...type, ...headers } };
  const answer = await fetch(path, init).catch((error) => {
    throw signal?.aborted ? error : new ApiError(0, "The server does not answer.");
  });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw new ApiError(answer.status, messageOf(text) || `The server answered ${answer.status}.`);
}

/** @param {string} text of a refusal @returns {string} */
function messageOf(text) {
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text;
  }
}

/** Rows of a query. @param {string} sql @param {AbortSignal} [signal] @returns {Promise<Record<string, any>[]>} */
export async function query(sql, signal) {
  return (await request("POST", "/query", { body: { query: sql }, signal })).rows;
}

/** @param {string} [reason] @returns {Record<string, string>} */
export function reasonHeaders(reason) {
  const actor = { "x-perdure-actor": "web page" };
  if (!reason) return actor;
  // A header holds bytes: those of UTF-8, each as one character.
  return { ...actor, "x-perdure-reason": String.fromCharCode(...new TextEncoder().encode(reason)) };
}
