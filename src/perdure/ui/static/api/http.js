// @ts-check
/** Requests to the operators' API. Its address is the page's own origin. */

export class ApiError extends Error {
  /** @param {number} status 0: no answer came @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Gives the decoded JSON, or null for an empty answer. @type {Send} */
export const request = async (method, path, { body, json = JSON.stringify(body), headers, signal } = {}) => {
  const type = json === undefined ? undefined : { "content-type": "application/json" };
  const init = { method, body: json, signal, headers: { accept: "application/json", ...type, ...headers } };
  const answer = await fetch(path, init).catch((error) => {
    throw signal?.aborted ? error : new ApiError(0, "The server does not answer.");
  });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw new ApiError(answer.status, messageOf(text) || `The server answered ${answer.status}.`);
};

/** @param {string} text */
function messageOf(text) {
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text;
  }
}

/** Rows. @type {(sql: string, signal?: AbortSignal) => Promise<Record<string, any>[]>} */
export const query = async (sql, signal) => (await request("POST", "/query", { body: { query: sql }, signal })).rows;

/** @param {string} [reason] @returns {Record<string, string>} */
export function reasonHeaders(reason) {
  const actor = { "x-perdure-actor": "web page" };
  // A header holds bytes: those of UTF-8, each as one character.
  const bytes = new TextEncoder().encode(reason);
  return reason ? { ...actor, "x-perdure-reason": String.fromCharCode(...bytes) } : actor;
}
