// @ts-check
/** The list by keyboard: j k x Enter c p r and /. */
import { html, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { ACTIONS, actionsFor } from "../logic/actions.js";
import { askBulk } from "./bulk-bar.js";
import { OperationDialog } from "./operation.js";
import { address, go } from "./router.js";

const BY_KEY = /** @type {Record<string, string[]>} */ ({ c: ["cancel"], p: ["pause"], r: ["resume", "retry-now"] });

/**
 * @param {{list: import("../logic/list.js").List, current: string, setCurrent: (id: string) => void, tick: (id: string, range: boolean) => void,
 *   ticked: Set<string>, clear: () => void}} props
 * @returns {any} the dialog of the operation that was asked for
 */
export function useListKeys(props) {
  const [asked, ask] = useState(/** @type {{name: string, row: any} | null} */ (null));
  // What was drawn last counts, also for keys in quick succession.
  const drawn = useRef(props);
  drawn.current = props;
  useLayoutEffect(() => {
    const pressed = /** @param {KeyboardEvent} event */ (event) => {
      if (act(event, drawn.current, ask)) event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return asked && html`<${OperationDialog} key=${asked.name} row=${asked.row} name=${asked.name} onClose=${() => ask(null)} />`;
}

/** @param {KeyboardEvent} event @param {Parameters<typeof useListKeys>[0]} props @param {(asked: {name: string, row: any}) => void} ask */
function act(event, { list, current, setCurrent, tick, ticked, clear }, ask) {
  const on = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return false;
  if (on.matches("select, textarea, input:not([type=checkbox])")) return event.key === "Escape" && (on.blur(), true);
  const row = list.rows.get(current);
  switch (event.key) {
    case "/":
      document.getElementById("search")?.focus();
      return true;
    case "j":
    case "k": {
      const at = list.order.indexOf(current) + (event.key === "j" ? 1 : -1);
      const id = list.order[Math.max(0, Math.min(list.order.length - 1, at))];
      if (!id) return false;
      setCurrent(id);
      const line = document.querySelector(`tr[data-id="${id}"]`);
      line?.scrollIntoView({ block: "nearest" });
      /** @type {HTMLElement | null | undefined} */ (line?.querySelector("input"))?.focus({ preventScroll: true });
      return true;
    }
    case "x":
    case "X":
      if (row) tick(row.id, event.shiftKey);
      return true;
    case "Enter":
      if (!row || on.matches("a, button, summary")) return false;
      go(address(["invocations", row.id]));
      return true;
    case "Escape":
      clear();
      return true;
    default: {
      const names = BY_KEY[event.key];
      if (!names) return false;
      if (ticked.size) return askBulk(names), true;
      const name = row && names.find((name) => name in ACTIONS && actionsFor(row).includes(name));
      if (name) ask({ name, row });
      return Boolean(name);
    }
  }
}
