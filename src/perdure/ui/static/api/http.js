// @ts-check
import { useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { lookSql } from "../logic/filters.js";

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

// So many times as long as an answer took nothing is asked.
const REST = 8;

/** @type {UseAnswer} */
export const useAnswer = (ask, inputs, every = 3000) => {
	const [data, setData] = useState(null);
	const [failure, setFailure] = useState("");
	const [turn, setTurn] = useState(0);
	const latest = useRef(null);
	latest.current = ask;
	useEffect(() => {
		setData(null);
		setFailure("");
	}, inputs);
	useEffect(() => {
		const controller = new AbortController();
		const { signal } = controller;
		let timer = 0;
		let busy = false;
		const round = async () => {
			clearTimeout(timer);
			if (busy || document.hidden || signal.aborted) return;
			busy = true;
			const began = Date.now();
			let fault = "";
			const said = await latest.current(signal).catch(({ message }) => (fault = message));
			busy = false;
			if (signal.aborted) return;
			setFailure(fault);
			if (!fault) setData(said);
			timer = setTimeout(round, Math.max(every, (Date.now() - began) * REST));
		};
		document.addEventListener("visibilitychange", round, { signal });
		void round();
		return () => controller.abort();
	}, [...inputs, turn]);
	return { data, failure, again: () => setTurn(turn + 1) };
};

/** @type {UseAnswer} */
export const useOnce = (ask, inputs) => useAnswer(ask, inputs, 2 ** 31 - 1);

// columns: SQL of what is told apart.
export const countBy = (columns, condition, signal) => {
	const group = columns[0] ? `GROUP BY ${columns.map((_, index) => index + 1)}` : "";
	return query(`SELECT ${[...columns, "count(*)"]} AS n FROM sys_invocation WHERE ${condition} ${group}`, signal);
};

export const countOf = async (condition, signal) => (await countBy([], condition, signal))[0].n;

export const lookCounts = async (condition, signal) => {
	const counts = { failed: 0 };
	for (const { status, result, n } of await countBy(["status", "completion_result AS result"], condition, signal)) {
		counts[status !== "completed" ? status : result === "success" ? "succeeded" : "failed"] = n;
	}
	for (const end of counts.failed ? ["cancelled", "killed"] : []) {
		counts[end] = await countOf(`(${condition}) AND ${lookSql(end)}`, signal);
		counts.failed = Math.max(0, counts.failed - counts[end]);
	}
	return counts;
};
