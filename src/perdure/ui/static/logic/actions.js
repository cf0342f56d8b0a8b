// @ts-check
import { OPEN, lookName } from "./status.js";

const isUnbegun = ({ status }) => status === "pending" || status === "scheduled";

/** @returns {Action} */
const action = (key, word, done, effect, more) => ({ key, word, done, effect, ...more });

export const ACTIONS = {
	cancel: action("c", "Cancel", "Cancel requested", (row) => isUnbegun(row)
		? "It has not started and never will: it completes as [409] cancelled. No code of the handler runs."
		: "What it calls is cancelled first, then the handler sees it where it waits, runs its clean-up and ends. "
			+ "What it sent goes on."),
	kill: action("x", "Kill", "Killed", () =>
		"It ends at once, with all that it calls, and no code runs: no clean-up, no compensation. What it sent goes on.",
	{ danger: true }),
	pause: action("p", "Pause", "Pause requested", (row) => {
		if (isUnbegun(row)) return "It keeps its place, and is paused when it would have started.";
		const begins = row.status === "running" ? "It stops after the step that runs now" : "Nothing wakes it";
		return `${begins}. What arrives waits in its journal until it is resumed.`;
	}),
	resume: action("r", "Resume", "Resumed", () =>
		"It goes on from the last finished step; what is done is not done again.", { moves: true }),
	"retry-now": action("r", "Retry now", "Retried", () =>
		"The next try starts at once, not after the back-off.", { moves: true, route: "resume" }),
	"restart-as-new": action("f", "Restart as new", "Restarted", () =>
		"A new invocation with the same input begins; this one stays as it is.", { moves: true }),
	purge: action("u", "Purge", "Purged", () =>
		"It is forgotten, with journal and output; its idempotency or workflow key is free again. This cannot be undone.",
	{ danger: true }),
	"purge-journal": action("j", "Purge journal", "Journal purged", () =>
		"Its steps are forgotten; the output stays. It can no longer be restarted. This cannot be undone.",
	{ danger: true }),
};

const USUAL = ["cancel", "pause", "kill"];
// The first is the one people most likely want.
const BY_LOOK = { "backing-off": ["retry-now", ...USUAL], paused: ["resume", "cancel", "kill"] };

export const actionsOf = (look) =>
	BY_LOOK[look] ?? (OPEN.includes(look) ? USUAL : ["restart-as-new", "purge", "purge-journal"]);

export const actionsFor = (row) => actionsOf(lookName(row));

export function requestOf(action, id, options) {
	const query = new URLSearchParams(Object.entries(options).filter(([, value]) => (value ?? "") !== ""));
	const { route = action } = ACTIONS[action];
	return { method: "PATCH", path: `/invocations/${encodeURIComponent(id)}/${route}?${query}` };
}
