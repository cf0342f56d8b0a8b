// @ts-check
/** Invocations with their journals, followed while somebody looks. */
import { useEffect, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { follow } from "../api/events.js";
import { query } from "../api/http.js";
import { NO_LIFE, foldLife } from "../logic/fold.js";
import { literal } from "../logic/filters.js";
import { stepsOf } from "../logic/journal.js";
import { waitSteps, waitsOf } from "../logic/waits.js";
import { setServerTime } from "./clock.js";

/** @typedef {import("../logic/fold.js").Life} Life */

/** Topics of one stream. */
export const LIVES_MAX = 16;
const PAGE = 1000;
const ENTRIES_MAX = 50000;

/** @param {string[]} ids at most LIVES_MAX @param {boolean} [live] @returns {Map<string, Life>} */
export function useLives(ids, live = true) {
  const [lives, setLives] = useState(/** @type {Map<string, Life>} */ (new Map()));
  const topics = ids.slice(0, LIVES_MAX).map((id) => `invocation:${id}`);
  useEffect(() => {
    if (!live) return undefined;
    return follow(topics, {
      onMessages: (messages) => {
        for (const { event, data } of messages) if (event === "snapshot") setServerTime(data.now);
        setLives((before) => {
          const after = new Map(before);
          topics.forEach((topic, place) => {
            const id = topic.slice("invocation:".length);
            const own = messages.filter(({ data }) => data.topic === place || data.topics?.includes(place));
            if (own.length) after.set(id, foldLife(after.get(id) ?? NO_LIFE, own));
          });
          return after;
        });
      },
    });
  }, [topics.join(), live]);
  return lives;
}

/**
 * The journal from its beginning: what the stream leaves out is asked for, without values.
 * @param {string} id @param {Life} life @returns {{journal: any[], missing: number, failure: string}} missing: entries that are not there (yet)
 */
export function useWhole(id, life) {
  const first = life.journal[0]?.index ?? 0;
  const [older, setOlder] = useState(/** @type {any[]} */ ([]));
  const [failure, setFailure] = useState("");
  useEffect(() => {
    setOlder([]);
    if (first === 0) return undefined;
    const stop = new AbortController();
    const load = async () => {
      let rows = /** @type {any[]} */ ([]);
      for (let before = first; before > 0 && rows.length < ENTRIES_MAX; before = rows[0]?.index ?? 0) {
        const page = await query(
          `SELECT id, "index", entry_type, name, raw_length, appended_at, entry_lite_json FROM sys_journal WHERE id = ${literal(id)}`
          + ` AND "index" < ${before} AND "index" >= ${before - PAGE} ORDER BY "index"`, stop.signal);
        if (!page.length) break;
        rows = [...page, ...rows];
        setOlder(rows);
      }
    };
    load().catch((error) => stop.signal.aborted || setFailure(error.message));
    return () => stop.abort();
  }, [id, first]);
  const fits = older.length > 0 && older[older.length - 1].index === first - 1;
  const journal = useMemo(() => (fits ? [...older, ...life.journal] : life.journal), [older, life.journal, fits]);
  return { journal, missing: journal[0]?.index ?? 0, failure };
}

/** @typedef {{steps: import("../logic/journal.js").Step[], waits: import("../logic/waits.js").Wait[]}} Story */

/** @param {Life} life @param {any[]} journal @returns {Story} */
export function storyOf(life, journal) {
  if (!life.row) return { steps: [], waits: [] };
  const steps = stepsOf(life.row, journal, life.happenings);
  const waits = waitsOf(life.row, steps);
  return { steps: [...steps, ...waitSteps(life.row, waits)], waits };
}

/** Stories of lives; each is made anew only when its life is another. @param {Map<string, Life>} lives @param {string} id with the whole journal @param {any[]} journal */
export function useStories(lives, id, journal) {
  const made = useRef(/** @type {Map<string, {life: Life, journal: any[], story: Story}>} */ (new Map()));
  const stories = new Map();
  for (const [one, life] of lives) {
    const entries = one === id ? journal : life.journal;
    let known = made.current.get(one);
    if (known?.life !== life || known.journal !== entries) {
      known = { life, journal: entries, story: storyOf(life, entries) };
      made.current.set(one, known);
    }
    stories.set(one, known.story);
  }
  return /** @type {Map<string, Story>} */ (stories);
}
