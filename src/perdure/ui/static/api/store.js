// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";

export const store = (value, key = "", kept = sessionStorage) => {
	const readers = new Set();
	try {
		value = JSON.parse(kept.getItem(key) ?? "null") ?? value;
	} catch {
		// Without storage it lasts as long as the page.
	}
	return {
		get: () => value,
		set(changed) {
			value = changed;
			try {
				if (key) kept.setItem(key, JSON.stringify(value));
			} catch {}
			for (const read of readers) read(value);
		},
		use() {
			const [seen, see] = useState(value);
			useEffect(() => {
				readers.add(see);
				see(value);
				return () => void readers.delete(see);
			}, []);
			return seen;
		},
	};
};

/** What this browser remembers for its reader. @type {Settings} */
const USUAL = { scheme: "system", zone: "local", views: [], queries: [] };
const settings = store(USUAL, "perdure", localStorage);

export const useSettings = settings.use;

export function change(changed) {
	settings.set({ ...USUAL, ...settings.get(), ...changed });
	document.documentElement.dataset.scheme = settings.get().scheme;
}

change({});
