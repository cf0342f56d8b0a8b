// @ts-check
import { store } from "../api/store.js";

/** @type {Settings} */
const USUAL = { scheme: "system", zone: "local", views: [], queries: [] };
const settings = store(USUAL, "perdure", localStorage);

export const useSettings = settings.use;

export function change(changed) {
	settings.set({ ...USUAL, ...settings.get(), ...changed });
	document.documentElement.dataset.scheme = settings.get().scheme;
}

change({});
