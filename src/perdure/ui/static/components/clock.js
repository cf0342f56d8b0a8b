// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";

let ahead = 0;

export function setServerTime(iso) {
	if (iso) ahead = Date.parse(iso) - Date.now();
}

export const serverNow = () => Date.now() + ahead;

export function useNow(every = 1000) {
	const [now, set] = useState(serverNow);
	useEffect(() => {
		const timer = setInterval(() => set(serverNow()), every);
		return () => clearInterval(timer);
	}, [every]);
	return now;
}
