// @ts-check
/** Requests to the operators' API. Its address is the page's own origin. */

/** What the server answered instead of a result: `status`, `code` when it has one, and a message for people. */
export class ApiError extends Error {
  /** @param {number} status 0: no answer came @param {string} message @param {string} [code] */
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * body: becomes JSON. json: is JSON already, and is sent as it is.
 * @param {string} method @param {string} path @param {{body?: unknown, json?: string, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the decoded JSON, or null for an empty answer
 */
export async function request(method, path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json", ...options.headers };
  /** @type {RequestInit} */
  const init = { method, headers, signal: options.signal };
  const body = options.json ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  if (body !== undefined) {
    headers["content-type"] ??= "application/json";
    init.body = body;
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "The server does not answer.");
  }
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : null;
  throw apiError(response.status, text);
}

/** @param {number} status @param {string} text */
function apiError(status, text) {
  try {
    const problem = JSON.parse(text);
    const code = problem.restate_code ?? problem.code;
    return new ApiError(status, problem.message ?? text, code === undefined ? undefined : String(code));
  } catch {
    return new ApiError(status, text || `The server answered ${status}.`);
  }
}

/** Rows of a query. @param {string} sql @param {AbortSignal} [signal] @returns {Promise<Record<string, any>[]>} */
export async function query(sql, signal) {
  return (await request("POST", "/query", { body: { query: sql }, signal })).rows;
}

/** Reasons travel in a header, which holds ASCII alone. @param {string} [reason] @returns {Record<string, string>} */
export function reasonHeaders(reason) {
  /** @type {Record<string, string>} */
  const headers = { "x-perdure-actor": "web page" };
  if (reason) headers["x-perdure-reason"] = encodeLatin(reason);
  return headers;
}

/** The bytes of UTF-8, each as the character that a header carries it in. @param {string} text */
function encodeLatin(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
