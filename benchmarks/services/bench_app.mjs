// The measured services, written with the official TypeScript SDK; the same as in bench_app.py.
// node bench_app.mjs PORT FOLDER_WITH_NODE_MODULES
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [, , port, folder] = process.argv;
const require = createRequire(pathToFileURL(resolve(folder, "package.json")));
const restate = require("@restatedev/restate-sdk");

const echo = restate.service({
  name: "Echo",
  handlers: { echo: async (_ctx, text) => text },
});

const steps = restate.service({
  name: "Steps",
  handlers: {
    run: async (ctx, count) => {
      let total = 0;
      for (let number = 0; number < count; number++) total += await ctx.run("step", () => number);
      return total;
    },
  },
});

const counter = restate.object({
  name: "Counter",
  handlers: {
    add: async (ctx, amount) => {
      const value = ((await ctx.get("value")) ?? 0) + amount;
      ctx.set("value", value);
      return value;
    },
  },
});

restate.serve({ services: [echo, steps, counter], port: Number(port) });
