// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";

const EVENTS = [
	"snapshot", "invocation", "gone", "journal", "journal_cleared", "journal_event", "registry", "counts", "reset",
];

// How far the clock of the server is before this one.
let ahead = 0;

export const serverNow = () => Date.now() + ahead;

export function useNow(every = 1000) {
	const [now, set] = useState(serverNow);
	useEffect(() => {
		const timer = setInterval(() => set(serverNow()), every);
		return () => clearInterval(timer);
	}, [every]);
	return now;
}

/** @type {Follow} */
export function follow(topics, { onMessages, onState }) {
	let source = null;
	let [last, frame, again] = ["", 0, 0];
	const waiting = [];
	const flush = () => {
		frame = 0;
		onMessages(waiting.splice(0));
	};
	const open = () => {
		const address = new URLSearchParams(topics.map((topic) => ["topics", topic]));
		if (last) address.set("after", last);
		source = new EventSource(`/events?${address}`);
		source.onopen = () => onState?.("live");
		source.onerror = () => {
			onState?.("lost");
			// A browser gives up after some answers; this page does not.
			if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, 1000);
		};
		for (const event of EVENTS) {
			source.addEventListener(event, ({ data, lastEventId }) => {
				last = lastEventId || last;
				const message = { event, data: JSON.parse(data) };
				if (message.data.now) ahead = Date.parse(message.data.now) - Date.now();
				waiting.push(message);
				frame ||= requestAnimationFrame(flush);
			});
		}
	};
	const close = () => {
		clearTimeout(again);
		source?.close();
		source = null;
	};
	const look = () => (document.hidden ? close() : source ?? open());
	document.addEventListener("visibilitychange", look);
	look();
	return () => {
		document.removeEventListener("visibilitychange", look);
		cancelAnimationFrame(frame);
		close();
	};
}
