// @ts-check

export class ApiError extends Error {
	constructor(status = 0, message = "The server does not answer.") {
		super(message);
		this.status = status;
	}
}

/** @type {Send} */
export const request = async (method, path, { body, json = JSON.stringify(body), headers, signal } = {}) => {
	const types = { accept: "application/json", "content-type": "application/json" };
	const answer = await fetch(path, { method, body: json, signal, headers: { ...types, ...headers } }).catch((error) => {
		throw signal?.aborted ? error : new ApiError();
	});
	const text = await answer.text();
	const said = parsed(text);
	if (answer.ok) return said;
	throw new ApiError(answer.status, said?.message || text || `The server answered ${answer.status}.`);
};

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

/** @type {Ask<Record<string, any>[]>} */
export const query = async (sql, signal) => (await request("POST", "/query", { body: { query: sql }, signal })).rows;

export const reasonHeaders = (reason) => ({
	"x-perdure-actor": "web page",
	// A header holds bytes, each as one character.
	...(reason && { "x-perdure-reason": String.fromCharCode(...new TextEncoder().encode(reason)) }),
});
