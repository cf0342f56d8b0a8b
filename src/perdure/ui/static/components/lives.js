// @ts-check
import { waitSteps, waitsOf } from "../logic/waits.js";
import { follow, html, literal, query, read, stepsOf, useEffect, useState } from "./kit.js";

// Topics of one stream.
export const LIVES_MAX = 16;
const PAGE = 1000;
const ENTRIES_MAX = 50000;

export const NO_STORY = {
	row: null, journal: [], happenings: [], failure: "", loaded: false, steps: [], waits: [], missing: 0,
};

const FOLDS = {
	snapshot: (story, { invocation: row, journal = [], journal_events: happenings = [] }) =>
		({ row, journal: joined(story.journal, journal), happenings, loaded: true }),
	invocation: (story, { invocation: row }) => ({ row }),
	gone: () => ({ row: null }),
	journal: (story, { entry }) => ({ journal: joined(story.journal, [entry]) }),
	journal_cleared: () => ({ journal: [] }),
	journal_event: ({ happenings }, { event, oldest = 0 }) =>
		({ happenings: [...happenings, event].filter(({ sequence }) => sequence >= oldest) }),
	// Asked for by this page: what the stream leaves out of a long journal.
	older: (story, { entries, failure = "" }) => ({ journal: joined(entries, story.journal), failure }),
};

// Without a gap, or the newer ones alone.
function joined(older, newer) {
	const first = newer[0]?.index;
	const before = older.filter(({ index }) => index < first);
	return before.at(-1)?.index === first - 1 ? [...before, ...newer] : newer;
}

function fold(story, messages) {
	const life = messages.reduce((known, { event, data }) => ({ ...known, ...FOLDS[event]?.(known, data) }), story);
	const { row, journal, happenings } = life;
	if (!row) return { ...life, steps: [], waits: [] };
	const known = read(journal, row.id, story.known);
	const steps = stepsOf(row, journal, happenings, known);
	const waits = waitsOf(row, steps);
	return { ...life, known, steps: [...steps, ...waitSteps(row, waits)], waits, missing: journal[0]?.index ?? 0 };
}

/** @returns {Map<string, Story>} by id, as far as they are known */
export function useStories(wanted, live = true) {
	const [stories, setStories] = useState(new Map());
	const ids = wanted.slice(0, LIVES_MAX);
	useEffect(() => {
		if (!live) return undefined;
		const stop = new AbortController();
		const tell = (id, messages) =>
			setStories((known) => new Map(known).set(id, fold(known.get(id) ?? NO_STORY, messages)));
		const tellOlder = (id, data) => tell(id, [{ event: "older", data }]);
		const readOlder = async (id, first) => {
			for (let before = first; before > 0 && before > first - ENTRIES_MAX; before -= PAGE) {
				const sql = `SELECT "index", entry_type, raw_length, appended_at, entry_lite_json FROM sys_journal
					WHERE id = ${literal(id)} AND "index" < ${before} AND "index" >= ${before - PAGE} ORDER BY "index"`;
				tellOlder(id, { entries: await query(sql, stop.signal) });
			}
		};
		const close = follow(ids.map((id) => `invocation:${id}`), { onMessages: (messages) => ids.forEach((id, topic) => {
			const own = messages.filter(({ data }) => data.topic === topic || data.topics?.includes(topic));
			if (own.length) tell(id, own);
			for (const { data: { journal } } of own.filter(({ event }) => event === "snapshot")) {
				readOlder(id, journal?.[0]?.index).catch(({ message: failure }) =>
					stop.signal.aborted || tellOlder(id, { entries: [], failure }));
			}
		}) });
		return () => {
			stop.abort();
			close();
		};
	}, [ids.join(), live]);
	return stories;
}

export function Absent({ id, story }) {
	if (!story.loaded) return html`<p class="soft">Loading…</p>`;
	return html`<h1>Invocation</h1>
		<p class="empty"><code dir="auto">${id}</code> is not known: it never was, or its retention is over.</p>`;
}
