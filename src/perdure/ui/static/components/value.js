// @ts-check
import {
	SHOWN_MAX, bytesOf, html, literal, oneLine, preview, query, save, shown, size, toast, useEffect, useMemo, useOnce,
	useRef, useState,
} from "./kit.js";

/** @param {Outcome} outcome */
export function valueLine({ kind, value, size: bytes }) {
	if (!value) return kind === "Success" ? size(bytes) : kind === "Failure" ? "failed" : "";
	if (kind === "Failure") return `${value.code ? `[${value.code}] ` : ""}${oneLine(value.message)}`;
	if (kind === "StateKeys") return value.join(", ") || "no keys";
	return value.length ? preview(value) : "empty";
}

/** The same with its value, asked for if it was not sent. */
export function useOutcome(id, outcome) {
	const sent = outcome?.kind !== "Success" || outcome.value;
	const asked = useOnce(async (signal) => {
		if (sent) return null;
		const [row] = await query(`SELECT value FROM sys_journal
			WHERE id = ${literal(id)} AND "index" = ${outcome.index}`, signal);
		if (!row) throw new Error("It is not kept any more.");
		return { ...outcome, value: bytesOf(row.value) };
	}, [id, outcome?.index, !sent]);
	return sent ? { ...asked, data: outcome } : asked;
}

export function ValueView({ id, outcome }) {
	const { data, failure } = useOutcome(id, outcome);
	const [all, setAll] = useState(false);
	const value = useMemo(() => data?.kind === "Success" && shown(data.value), [data?.value]);
	if (failure) return html`<p class="invalid">${failure}</p>`;
	if (!data) return html`<p class="soft">Loading ${size(outcome.size)}…</p>`;
	if (!value) {
		const metadata = data.value?.metadata;
		return html`<p class=${data.kind === "Failure" ? "invalid" : "soft"} dir="auto">${valueLine(data) || "nothing"}</p>
			${metadata && html`<pre>${JSON.stringify(metadata, null, 2)}</pre>`}`;
	}
	const { text, kind } = value;
	const bytes = size(value.size);
	const most = all ? Infinity : SHOWN_MAX;
	const onSave = () => save(Uint8Array.from(data.value), `${id}-${outcome.index}`);
	return html`<div class="bar"><small>${kind} · ${bytes}</small><${Copy} text=${text} />
			<button class="plain" onClick=${onSave}>Save</button></div>
		<pre dir="auto" tabindex="0" class="value">${text.slice(0, most)}</pre>
		${text.length > most && html`<button onClick=${() => setAll(true)}>Show all ${bytes}</button>`}`;
}

export function Copy({ text }) {
	const copy = () => navigator.clipboard.writeText(text)
		.then(() => toast("Copied"), () => toast("The browser refused", "fail"));
	return html`<button type="button" class="plain" onClick=${copy}>Copy</button>`;
}

export const Copied = ({ text, kind = "" }) =>
	html`<span class=${`mono ${kind}`} dir="auto">${text}</span> <${Copy} text=${text} />`;

export function ValuePopover({ line: { id, step: { code } }, outcome, onClose }) {
	const element = useRef(null);
	useEffect(() => element.current.showPopover(), []);
	return html`<div popover="auto" ref=${element} role="dialog" aria-label=${code}
			onToggle=${({ newState }) => newState === "closed" && onClose()}>
		<strong class="mono" dir="auto">${code}</strong><${ValueView} id=${id} outcome=${outcome} /></div>`;
}
