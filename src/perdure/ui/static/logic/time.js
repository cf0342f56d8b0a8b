// @ts-check

export const millis = (iso) => (iso ? Date.parse(iso) : null);

const UNITS = Object.entries({ d: 86400000, h: 3600000, m: 60000, s: 1000 });

/** At most two units: `3m 12s`, `4.2s`, `180ms`. @returns {string} */
export function duration(ms) {
	if (!Number.isFinite(ms)) return "";
	if (ms < 0) return `-${duration(-ms)}`;
	if (ms < 1000) return `${Math.round(ms)}ms`;
	if (ms < 60000) return `${(Math.floor(ms / 100) / 10).toFixed(ms < 10000 ? 1 : 0)}s`;
	const [[name, size], [next, part]] = UNITS.slice(UNITS.findIndex((unit) => ms >= unit[1]));
	const rest = Math.floor((ms % size) / part);
	return `${Math.floor(ms / size)}${name}${rest ? ` ${rest}${next}` : ""}`;
}

export function relative(at, now) {
	if (at === null) return "";
	return at <= now ? `${duration(now - at)} ago` : `in ${duration(at - now)}`;
}

export function clockTime(at, zone, now) {
	if (at === null) return "";
	const utc = zone === "utc";
	const parts = (ms) =>
		new Date(ms - (utc ? 0 : new Date(ms).getTimezoneOffset() * 60000)).toISOString().split(/[TZ]/);
	const [day, time] = parts(at);
	return `${parts(now)[0] === day ? "" : `${day} `}${time}${utc ? " UTC" : ""}`;
}

export function size(bytes) {
	if (!Number.isFinite(bytes)) return "";
	if (bytes < 1024) return `${bytes} B`;
	return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}
