// @ts-check
/** Who waits for an answer from outside, and the answer. */
import { useNow } from "../components/clock.js";
import {
  Change, Choice, Code, address, at, go, html, link, page, query, request, table, useAnswer, useForm, usePlace,
} from "../components/kit.js";
import { StatusBadge } from "../components/status-badge.js";
import { fromSearch, literal, toSql } from "../logic/filters.js";
import { faultOf } from "../logic/json.js";
import { stepsOf } from "../logic/journal.js";
import { millis, relative } from "../logic/time.js";
import { answerTo, waitsOf } from "../logic/waits.js";

const MOST = 200;
const PROMISED = `status <> 'completed' AND target_service_ty = 'workflow' AND target_service_key IN
  (SELECT service_key FROM sys_promise WHERE NOT completed AND service_name = target_service_name)`;
const WAITING = `SELECT id, target, status, modified_at, target_service_name, target_service_key, target_service_ty,
  suspended_waiting_future_json, last_awaiting_on_future_json FROM sys_invocation
  WHERE ${toSql(fromSearch(new URLSearchParams({ waits: "outside" })))} OR ${PROMISED} ORDER BY modified_at, id LIMIT ${MOST + 1}`;

/** @param {AbortSignal} signal */
async function load(signal) {
  const rows = /** @type {import("../logic/status.js").Row[]} */ (await query(WAITING, signal));
  const flows = rows.filter((row) => row.target_service_ty === "workflow").map((row) => literal(row.id));
  const journal = flows.length ? await query(`SELECT id, "index", entry_type, appended_at, entry_lite_json FROM sys_journal
    WHERE id IN (${flows}) AND entry_type IN ('Command: GetPromise', 'Notification: GetPromise') ORDER BY "index"`, signal) : [];
  const waits = rows.slice(0, MOST).flatMap((row) => {
    const steps = stepsOf(row, journal.filter(({ id }) => id === row.id), []);
    return waitsOf(row, steps).flatMap((wait) => {
      const answer = answerTo(row, wait);
      return answer ? { row, wait, answer, name: row.id + wait.text + wait.id } : [];
    });
  });
  return { waits, more: rows.length > MOST };
}

export function Waits() {
  const { search } = usePlace();
  const asked = useAnswer(load, []);
  const now = useNow();
  const target = targetOf(search);
  return page("Waits", asked, ({ waits, more }) => html`
    <p class="soft">Invocations that go on when somebody answers, the longest wait first. They are here at the latest once they are suspended.</p>
    ${more && html`<p class="soft">The first ${MOST} are shown; ${link(["invocations"], "the list", { waits: "outside" })} has all.</p>`}
    ${table("Waits", waits, "name", {
      Invocation: ({ row }) => link(["invocations", row.id], row.target),
      Status: ({ row }) => html`<${StatusBadge} row=${row} />`,
      "Waits for": ({ wait, answer }) => html`<bdi>${wait.text}</bdi> ${wait.id ? html`<span class="mono soft">${wait.id}</span>`
        : answer.promise !== undefined && html`of ${link(["objects", answer.service, answer.key], `${answer.service}/${answer.key}`)}`}`,
      Since: ({ row, wait }) => relative(wait.step ? wait.since : millis(row.modified_at), now),
      Answer: ({ answer }) => link(["waits"], "Answer…", answer, { class: "button" }),
    }, "Nothing waits for an answer from outside.")}
    ${target && html`<${Answer} key=${target.what} ...${target} onClose=${() => (go(address(["waits"]), { replace: true }), asked.again())} />`}`);
}

/** What the address asks to be answered: below which path, and under which names. @param {URLSearchParams} search */
function targetOf(search) {
  const { id = "", signal, service = "", key = "", promise } = Object.fromEntries(search);
  if (promise !== undefined) {
    return { what: `promise ${promise} of ${service}/${key}`, path: at("services", service, "promises"), names: { key, name: promise } };
  }
  if (signal !== undefined) {
    return { what: `signal ${signal} to ${id}`, path: at("invocations", id, "signals"), names: { name: signal } };
  }
  return /^(sign|prom)_1/.test(id) ? { what: `awakeable ${id}`, path: at("awakeables", id), names: { id } } : null;
}

/** @param {{what: string, path: string, names: Record<string, string>, onClose: () => void}} props */
function Answer({ what, path, names, onClose }) {
  const { values: { verb, value, message }, field } = useForm({ verb: "resolve", value: "", message: "" });
  const resolves = verb === "resolve";
  const act = async () => {
    // As it was typed: JavaScript would change large numbers.
    const answer = resolves ? `"value":${value}` : `"message":${JSON.stringify(message)}`;
    await request("POST", `${path}/${verb}`, { json: `{${answer},${JSON.stringify(names).slice(1)}` });
    return resolves ? "Resolved" : "Rejected";
  };
  const effect = resolves ? "The invocation goes on with this value." : "The invocation gets a failure with code 500 and this message.";
  return html`<${Change} title="Answer what is waited for" word=${resolves ? "Resolve" : "Reject"} danger=${!resolves} act=${act} onClose=${onClose}
      disabled=${resolves ? faultOf(value) : !message} effect=${`${effect} The first answer counts, and it cannot be taken back.`}>
    <p class="mono soft"><bdi>${what}</bdi></p>
    ${field("verb", "Answer", { as: Choice, of: { resolve: "Resolve with a value", reject: "Reject with a failure" } })}
    ${resolves ? field("value", "Value, as JSON", { as: Code, json: true }) : field("message", "Message")}<//>`;
}
