// @ts-check
import { useEffect, useState } from "../vendor/preact-htm.js";

/** What several parts of the page show; a storage of the browser may keep it. @type {MakeStore} */
export const store = (value, key = "", kind = "localStorage") => {
  const readers = new Set();
  try {
    value = JSON.parse(window[kind].getItem(key) ?? "null") ?? value;
  } catch {
    // Without storage it lasts as long as the page.
  }
  return {
    get: () => value,
    set(changed) {
      value = changed;
      try {
        if (key) window[kind].setItem(key, JSON.stringify(value));
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
