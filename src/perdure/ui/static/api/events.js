// @ts-check
/** The page's one stream of events. It is closed while the page is hidden, and goes on where it stopped. */

const EVENTS = [
  "snapshot", "invocation", "gone", "journal", "journal_cleared", "journal_event", "attempt", "registry", "state", "counts", "reset",
];

/**
 * @typedef {{event: string, data: any}} Message
 * @typedef {{onMessages: (messages: Message[]) => void, onState?: (state: "live" | "lost") => void}} Listener
 */

/**
 * Follows topics until the returned function is called. Messages come in bunches, one for each frame that is drawn.
 * @param {string[]} topics @param {Listener} listener @returns {() => void}
 */
export function follow(topics, listener) {
  /** @type {EventSource | null} */
  let source = null;
  let last = "";
  /** @type {Message[]} */
  let waiting = [];
  let frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let again;

  const flush = () => {
    frame = 0;
    const messages = waiting;
    waiting = [];
    listener.onMessages(messages);
  };
  const open = () => {
    clearTimeout(again);
    const address = new URLSearchParams(topics.map((topic) => ["topics", topic]));
    if (last) address.set("after", last);
    source = new EventSource(`/events?${address}`);
    source.onopen = () => listener.onState?.("live");
    source.onerror = () => {
      listener.onState?.("lost");
      // A browser gives up after some answers; this page does not.
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, 1000);
    };
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => {
        const { data, lastEventId } = /** @type {MessageEvent} */ (message);
        if (lastEventId) last = lastEventId;
        waiting.push({ event, data: JSON.parse(data) });
        if (!frame) frame = requestAnimationFrame(flush);
      });
    }
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
  };
  const visibility = () => {
    if (document.hidden) close();
    else if (!source) open();
  };
  document.addEventListener("visibilitychange", visibility);
  if (!document.hidden) open();
  return () => {
    document.removeEventListener("visibilitychange", visibility);
    cancelAnimationFrame(frame);
    close();
  };
}
