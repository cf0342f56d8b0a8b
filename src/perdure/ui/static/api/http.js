// @ts-check
/** Requests to the operators' API. Its address is the page's own origin. */

export class ApiError extends Error {
  constructor(status = 0, message = "The server does not answer.") {
    super(message);
    this.status = status;
  }
}

/** Gives the decoded JSON, or null for an empty answer. @type {Send} */
export const request = async (method, path, { body, json = JSON.stringify(body), headers, signal } = {}) => {
  const types = { accept: "application/json", "content-type": "application/json" };
  const answer = await fetch(path, { method, body: json, signal, headers: { ...types, ...headers } }).catch((error) => {
    throw signal?.aborted ? error : new ApiError();
  });
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  throw new ApiError(answer.status, messageOf(text) || `The server answered ${answer.status}.`);
};

function messageOf(text = "") {
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text;
  }
}

/** Its rows. @type {Ask<Record<string, any>[]>} */
export const query = async (sql, signal) => (await request("POST", "/query", { body: { query: sql }, signal })).rows;

/** @returns {Record<string, string>} */
export function reasonHeaders(reason = "") {
  const actor = { "x-perdure-actor": "web page" };
  // A header holds bytes: those of UTF-8, each as one character.
  const bytes = new TextEncoder().encode(reason);
  return reason ? { ...actor, "x-perdure-reason": String.fromCharCode(...bytes) } : actor;
}
