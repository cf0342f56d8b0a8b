// @ts-check
/** What is known, from the messages of the event stream: each fold gives a new value and changes nothing. */

/** @typedef {import("./status.js").Row} Row */
/** @typedef {import("../api/events.js").Message} Message */

/**
 * rows: by id. order: ids as the list shows them, newest first; rows never jump. held: ids of new rows that wait above the list.
 * @typedef {{rows: Map<string, Row>, order: string[], held: string[], counts: Record<string, number> | null, more: boolean, loaded: boolean}} List
 */

/** @type {List} */
export const NO_LIST = { rows: new Map(), order: [], held: [], counts: null, more: false, loaded: false };

/** Rows the list keeps at the most; what came first is let go. */
export const LIST_MAX = 1000;

/**
 * @param {List} list @param {Message[]} messages @param {(row: Row) => boolean} wanted tells rows that the topic is too wide to leave out
 * @param {boolean} hold new rows wait until the reader asks for them
 * @returns {List}
 */
export function foldList(list, messages, wanted, hold) {
  let { rows, order, held, counts, more, loaded } = list;
  rows = new Map(rows);
  for (const { event, data } of messages) {
    if (event === "snapshot") {
      const shown = data.invocations.filter(wanted);
      const before = new Set(order);
      rows = new Map(shown.map((/** @type {Row} */ row) => [row.id, row]));
      const ids = shown.map((/** @type {Row} */ row) => row.id);
      held = loaded && hold ? ids.filter((/** @type {string} */ id) => !before.has(id)) : [];
      order = ids.filter((/** @type {string} */ id) => !held.includes(id));
      counts = data.counts ?? counts;
      more = data.more;
      loaded = true;
    } else if (event === "invocation") {
      const row = data.invocation;
      const known = rows.has(row.id);
      if (!wanted(row)) ({ rows, order, held } = without(rows, order, held, row.id));
      else {
        rows.set(row.id, row);
        if (!known && hold) held = [row.id, ...held];
        else if (!known) order = [row.id, ...order];
      }
    } else if (event === "gone") {
      ({ rows, order, held } = without(rows, order, held, data.id));
    } else if (event === "counts") {
      counts = data.counts;
    }
  }
  if (order.length > LIST_MAX) {
    for (const id of order.slice(LIST_MAX)) rows.delete(id);
    order = order.slice(0, LIST_MAX);
    more = true;
  }
  return { rows, order, held, counts, more, loaded };
}

/** @param {List["rows"]} rows @param {string[]} order @param {string[]} held @param {string} id */
function without(rows, order, held, id) {
  rows.delete(id);
  return { rows, order: order.filter((one) => one !== id), held: held.filter((one) => one !== id) };
}

/** The reader asked for what is held. @param {List} list @returns {List} */
export function showHeld(list) {
  return { ...list, order: [...list.held, ...list.order], held: [] };
}

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
