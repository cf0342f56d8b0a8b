// @ts-check
import { store } from "../api/store.js";
import { CHUNK, advanced, batchRequest, newJob, nextSql, passed } from "../logic/bulk.js";
import { ApiError, query, reasonHeaders, request, serverNow } from "./kit.js";

const KEPT = 20;
const RETRY_MS = 1500;

export const jobs = store([], "perdure-jobs");

const isRunning = (job) => job?.state === "running";
const get = (id) => jobs.get().find((job) => job.id === id);
const change = (fits, changed) => jobs.set(jobs.get().map((job) => (fits(job) ? { ...job, ...changed } : job)));
const put = (id, changed) => change((job) => job.id === id, changed);

// Nothing goes on by itself when the page was left.
change(isRunning, { state: "interrupted" });

export function startJob(asked) {
	const id = Math.random().toString(36).slice(2, 10);
	jobs.set([newJob(asked, id, serverNow()), ...jobs.get()].slice(0, KEPT));
	void work(id);
	return id;
}

export const stopJob = (id) => put(id, { state: "stopped" });

const working = new Set();

export function resumeJob(id) {
	if (working.has(id)) return;
	put(id, { state: "running", problem: "" });
	void work(id);
}

async function work(id) {
	working.add(id);
	await run(id).catch(({ message }) => put(id, { state: "failed", problem: message }));
	working.delete(id);
}

async function run(id) {
	while (isRunning(get(id))) {
		const ids = await patient(id, () => nextIds(get(id)));
		if (!ids || !isRunning(get(id))) return;
		if (ids.length) await send(get(id), ids);
		else put(id, { state: "done" });
	}
}

const nextIds = async (job) => job.ids?.slice(0, CHUNK) ?? (await query(nextSql(job))).map((row) => row.id);

const send = async (job, ids) => {
	const { path, body } = batchRequest(job, ids);
	const post = () => request("POST", path, { body, headers: reasonHeaders(job.reason) });
	try {
		// To begin anew twice is to begin two: it is not sent again.
		const answer = job.action === "restart-as-new" ? await post() : await patient(job.id, post);
		if (answer) put(job.id, { ...advanced(job, ids, answer), problem: "" });
	} catch (error) {
		if (!isLost(error)) throw error;
		const problem = `The server did not answer: whether these ${ids.length} were begun anew is not known.`;
		put(job.id, { ...passed(job, ids), unknown: job.unknown + ids.length, state: "stopped", problem });
	}
};

// Null when the job is stopped meanwhile.
async function patient(id, ask) {
	for (;;) {
		try {
			return await ask();
		} catch (error) {
			if (!isLost(error)) throw error;
			if (!isRunning(get(id))) return null;
			put(id, { problem: "The server does not answer. The job goes on when it is back." });
			await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
		}
	}
}

const isLost = (error) => error instanceof ApiError && [0, 429, 503].includes(error.status);
