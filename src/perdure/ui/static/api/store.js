// @ts-check
// What several parts of the page show; the browser may keep it.
import { useEffect, useState } from "../vendor/preact-htm.js";

export const store = (value, key = "", kind = "localStorage") => {
  const readers = new Set();
  try {
    value = JSON.parse(window[kind].getItem(key)) ?? value;
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
