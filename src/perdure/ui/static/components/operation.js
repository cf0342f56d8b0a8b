// @ts-check
import {
	BULK, CHUNK, advanced, applies, batchRequest, countLooks, matching, newJob, nextSql, passed, scopeWords,
} from "../logic/bulk.js";
import {
	ACTIONS, ApiError, Change, Choice, Text, actionsFor, address, counted, fault, go, html, lookCounts, query,
	reasonHeaders, request, requestOf, serverNow, store, toSql, useAnswer, useState,
} from "./kit.js";

export function Operations({ row }) {
	const [asked, ask] = useState("");
	const begin = (name) => (name === "restart-as-new" ? go(address(["invocations", row.id, "restart"])) : ask(name));
	return html`<span class="bar" role="group" aria-label="Operations">
		${actionsFor(row).map((name, index) => html`<button key=${name} name=${ACTIONS[name].key}
			class=${index ? ACTIONS[name].danger && "danger" : "primary"} onClick=${() => begin(name)}>
			${ACTIONS[name].word}</button>`)}
		${asked && html`<${OperationDialog} row=${row} name=${asked} onClose=${() => ask("")} />`}</span>`;
}

export function OperationDialog({ row, name, onClose }) {
	const { word, done, effect } = ACTIONS[name];
	const act = async (reason, deployment) => {
		const { method, path } = requestOf(name, row.id, { deployment });
		await request(method, path, { headers: reasonHeaders(reason) });
		return `${done}: ${row.target}`;
	};
	return html`<${OperationForm} name=${name} title="${word}: ${row.target}"
		word=${word.includes(" ") ? word : `${word} it`} effect=${effect(row)}
		act=${act} onClose=${onClose}><p class="mono soft">${row.id}</p><//>`;
}

const CODES = { keep: "the deployment it began on", latest: "the newest deployment" };

function OperationForm({ name, act, children, ...rest }) {
	const { danger, moves } = ACTIONS[name];
	const [reason, setReason] = useState("");
	const [code, setCode] = useState(name === "restart-as-new" ? "latest" : "keep");
	return html`<${Change} danger=${danger} act=${() => act(reason, moves ? code : undefined)} ...${rest}>${children}
		${moves && html`<${Choice} label="Code" of=${CODES} value=${code} onValue=${setCode} />`}
		<${Text} label="Reason, kept in its journal" name="reason" maxlength="500" value=${reason}
			onValue=${setReason} /><//>`;
}

const KEPT = 20;
const RETRY_MS = 1500;

export const jobs = store([], "perdure-jobs");

const isRunning = (job) => job?.state === "running";
const get = (id) => jobs.get().find((job) => job.id === id);
const change = (fits, changed) => jobs.set(jobs.get().map((job) => (fits(job) ? { ...job, ...changed } : job)));
const put = (id, changed) => change((job) => job.id === id, changed);

// Nothing goes on by itself when the page was left.
change(isRunning, { state: "interrupted" });

function startJob(asked) {
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

export function useBulk({ rows, filters, counts, onClear }) {
	const [all, setAll] = useState(false);
	const [asked, ask] = useState(null);
	const total = matching(counts ?? {}, filters);
	const whole = all && total > 0;
	const count = whole ? total : rows.length;
	const fits = (name) => (whole ? applies(name, counts, filters) : applies(name, countLooks(rows)));
	const begin = (name) => {
		const ids = rows.filter((row) => actionsFor(row).includes(name)).map((row) => row.id);
		ask({ name, ids: whole ? null : ids });
	};
	const beginByKey = (key) => {
		const name = BULK.find((name) => ACTIONS[name].key === key && fits(name));
		if (name) begin(name);
	};
	const clear = () => (setAll(false), onClear());
	const offer = (words) =>
		html`<button class="plain" onClick=${() => setAll(true)}>${words} all ${total} that match</button>`;
	const button = (name, n = fits(name)) => n > 0 && html`<button key=${name} class=${ACTIONS[name].danger && "danger"}
		onClick=${() => begin(name)}>${ACTIONS[name].word} ${n}${n < count && ` of ${count}`}</button>`;
	const bar = html`<div class="card bar bulkbar" role="region" aria-label="Operations on many">
		<b>${whole ? `All ${total} that match` : `${count} ticked`}</b>${BULK.map((name) => button(name))}
		${!whole && total > count && offer("or:")}<button class="plain" onClick=${clear}>Clear</button>
		${asked && html`<${BulkDialog} ...${asked} filters=${filters} onClose=${() => ask(null)} />`}
		</div>`;
	return { beginByKey, bar: count ? bar : total > 0 && html`<p>${offer("Operate on")}</p>` };
}

function BulkDialog({ name, ids, filters, onClose }) {
	const { word, effect } = ACTIONS[name];
	const { data, failure } = useAnswer(
		async (signal) => ids?.length ?? applies(name, await lookCounts(toSql(filters), signal), filters), []);
	const total = ids?.length ?? data ?? 0;
	const many = total ? counted(total, "invocation") : "…";
	const act = async (reason, deployment) => {
		go(address(["bulk", startJob({ action: name, filters, ids, total, reason, deployment })]));
		return null;
	};
	const scope = ids ? "Those ticked that it fits."
		: html`Those that match now: <bdi>${scopeWords(name, filters)}</bdi>. What begins later is left alone.`;
	return html`<${OperationForm} name=${name} title="${word}: ${many}" word="${word} ${many}" disabled=${!total}
		effect="Of each: ${effect({ status: "running" })}" act=${act} onClose=${onClose}>
		<p dir="auto">${scope}</p>${fault(failure)}<//>`;
}
