// @ts-check
/** What is known, from the messages of the event stream: each fold gives a new value and changes nothing. */

/** @typedef {import("../api/events.js").Message} Message */

/**
 * row: null when it is not known (any more). journal: rows of `sys_journal` in order. happenings: rows of `sys_journal_events`.
 * @typedef {{row: Row | null, journal: any[], happenings: any[], attempt: any, loaded: boolean}} Life
 */

/** @type {Life} */
export const NO_LIFE = { row: null, journal: [], happenings: [], attempt: null, loaded: false };

/** @param {Life} life @param {Message[]} messages @returns {Life} */
export function foldLife(life, messages) {
  let { row, journal, happenings, attempt, loaded } = life;
  for (const { event, data } of messages) {
    if (event === "snapshot") {
      row = data.invocation;
      journal = data.journal ?? [];
      happenings = data.journal_events ?? [];
      attempt = data.attempt ?? null;
      loaded = true;
    } else if (event === "invocation") row = data.invocation;
    else if (event === "gone") row = null;
    else if (event === "journal") journal = [...journal.filter((one) => one.index < data.entry.index), data.entry];
    else if (event === "journal_cleared") journal = [];
    else if (event === "journal_event") happenings = [...happenings, data.event].filter((one) => (one.sequence ?? 0) >= (data.oldest ?? 0));
    else if (event === "attempt") attempt = data.attempt;
  }
  return { row, journal, happenings, attempt, loaded };
}
