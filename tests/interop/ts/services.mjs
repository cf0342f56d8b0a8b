// The services of the interop suite with the official TypeScript SDK; `../services.py` has the same with the Python one.
// Run as `node services.mjs FD`: serves HTTP/2 on an inherited socket.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http2";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as restate from "@restatedev/restate-sdk";

const { RestatePromise, TerminalError } = restate;
const HOUR = { hours: 1 };
// Inactivity timeout of the services that suspend also where both directions stay open.
const QUICK = { milliseconds: 50 };
const FAST = { initialInterval: 10, exponentiationFactor: 1, maxInterval: 10 };

// Writes one line. Returns how often this line is there now.
function record(tag, line) {
  const path = join(process.env.PERDURE_INTEROP_DIR, tag);
  appendFileSync(path, `${line}\n`);
  return readFileSync(path, "utf8").split("\n").filter((each) => each === line).length;
}

// An action for `run` that writes one line.
const recorder = (tag, line) => () => void record(tag, line);

// Waits, outside of the journal, until the test has released the tag; at most 20 s.
async function released(tag) {
  const gate = join(process.env.PERDURE_INTEROP_DIR, `${tag}.released`);
  for (let i = 0; i < 2000 && !existsSync(gate); i++) await pause(10);
}

const failure = (error) => ({ code: error.code, message: error.message });

async function orFailure(wait, ifGood = (value) => value) {
  try {
    return ifGood(await wait());
  } catch (error) {
    if (error instanceof TerminalError) return failure(error);
    throw error;
  }
}

const settled = (promise) => promise.map((value, error) => (error ? `failed: ${error.message}` : value));

// Waits for something; when that fails, undoes in a step, and passes the failure on.
async function compensated(ctx, tag, wait) {
  record(tag, "started");
  try {
    return await wait();
  } catch (error) {
    if (error instanceof TerminalError) await ctx.run("undo", recorder(tag, `undone after ${error.code}`));
    throw error;
  }
}

const echo = restate.service({
  name: "Echo",
  handlers: {
    echo: async (ctx, value) => value,
    about: async (ctx) => ({ id: ctx.request().id, headers: Object.fromEntries(ctx.request().headers) }),
    fail: async (ctx, { message, code, metadata }) => {
      throw new TerminalError(message, { errorCode: code, metadata });
    },
    // The length of a run's result of `size` characters, as every later attempt reads it from the journal.
    journaled: async (ctx, size) => {
      const text = await ctx.run("text", () => "x".repeat(size));
      await ctx.sleep(1);
      return text.length;
    },
  },
});

const steps = restate.service({
  name: "Steps",
  options: { retryPolicy: FAST },
  handlers: {
    run: async (ctx, { tag, count }) => {
      const results = [];
      for (let i = 0; i < count; i++) {
        results.push(await ctx.run(`step ${i}`, () => (record(tag, `step ${i}`), `result ${i}`)));
      }
      return results;
    },
    // Two steps around a failure of the handler itself.
    interrupted: async (ctx, { tag, failures }) => {
      const step = (name) => ctx.run(name, () => (record(tag, name), name));
      const first = await step("first");
      if (record(tag, "attempt") <= failures) throw new Error("the handler fails on purpose");
      return [first, await step("second")];
    },
    // A run that fails `failures` times and may be tried `attempts` times.
    flaky: async (ctx, { tag, failures, attempts }) => {
      const action = () => {
        if (record(tag, "tried") <= failures) throw new Error("the run fails on purpose");
        return "went well";
      };
      const options = { maxRetryAttempts: attempts, initialRetryInterval: 5, retryIntervalFactor: 1 };
      return orFailure(() => ctx.run("flaky", action, options));
    },
    // A run with a terminal error, which is not tried again.
    refused: async (ctx, tag) =>
      orFailure(() =>
        ctx.run("refused", () => {
          record(tag, "tried");
          throw new TerminalError("no such thing", { errorCode: 404 });
        }),
      ),
    // Draws random values, fails, and draws them again in the next attempt.
    dice: async (ctx, tag) => {
      const drawn = `${ctx.rand.uuidv4()} ${ctx.rand.random()} ${await ctx.date.now()}`;
      record(tag, drawn);
      if (record(tag, "attempt") === 1) throw new Error("the first attempt fails on purpose");
      return drawn;
    },
  },
});

// A service that may fail only once.
const limited = (name, onMaxAttempts) =>
  restate.service({
    name,
    options: { retryPolicy: { initialInterval: 5, exponentiationFactor: 1, maxAttempts: 2, onMaxAttempts } },
    handlers: {
      work: async (ctx, { tag, failures }) => {
        const attempt = record(tag, "attempt");
        if (attempt <= failures) throw new Error("broken on purpose");
        return attempt;
      },
    },
  });

// State under a key.
const ledger = (name, options) =>
  restate.object({
    name,
    options,
    handlers: {
      add: async (ctx, amount) => {
        const total = ((await ctx.get("total")) ?? 0) + amount;
        ctx.set("total", total);
        return total;
      },
      append: async (ctx, { tag, item }) => {
        const items = (await ctx.get("items")) ?? [];
        await ctx.run("enter", recorder(tag, `enter ${item}`));
        ctx.set("items", [...items, item]);
        await ctx.run("leave", recorder(tag, `leave ${item}`));
      },
      put: async (ctx, values) => {
        for (const [key, value] of Object.entries(values)) ctx.set(key, value);
      },
      drop: async (ctx, key) => ctx.clear(key),
      wipe: async (ctx) => ctx.clearAll(),
      // What the invocation sees of its own writes.
      tour: async (ctx) => {
        const seen = [await ctx.get("a")];
        ctx.set("a", 1);
        seen.push(await ctx.get("a"));
        ctx.set("b", [1, 2]);
        ctx.clear("a");
        seen.push(await ctx.get("a"));
        seen.push(await ctx.get("b"));
        ctx.clearAll();
        seen.push(await ctx.get("b"));
        ctx.set("c", "kept");
        return seen;
      },
      read: restate.handlers.object.shared(async (ctx, key) => await ctx.get(key)),
      keys: restate.handlers.object.shared(async (ctx) => (await ctx.stateKeys()).sort()),
    },
  });

const approval = restate.workflow({
  name: "Approval",
  handlers: {
    run: async (ctx, tag) => {
      await ctx.run("notify", recorder(tag, "notified"));
      ctx.set("stage", "waiting");
      const decision = await ctx.promise("decision");
      ctx.set("stage", "decided");
      return { key: ctx.key, decision };
    },
    decide: async (ctx, value) => ctx.promise("decision").resolve(value),
    refuse: async (ctx, reason) => ctx.promise("decision").reject(reason),
    peek: async (ctx) => (await ctx.promise("decision").peek()) ?? null,
    stage: async (ctx) => await ctx.get("stage"),
    // Waits for a promise that nobody keeps.
    linger: async (ctx, tag) => compensated(ctx, tag, () => ctx.promise("never").get()),
  },
});

// One of the things to combine: a sleep, an awakeable, a run, or a call that succeeds or fails.
function part(ctx, tag, wished) {
  if ("sleep" in wished) return ctx.sleep(wished.sleep);
  if ("awakeable" in wished) {
    const { id, promise } = ctx.awakeable();
    record(tag, id);
    return promise;
  }
  if ("run" in wished) return ctx.run("part", () => wished.run);
  if ("call" in wished) return ctx.serviceClient(echo).echo(wished.call);
  if ("fail" in wished) return ctx.serviceClient(echo).fail({ message: wished.fail, code: 400 });
  throw new TerminalError(`unknown part ${JSON.stringify(wished)}`);
}

const ways = {
  all: (futures) => RestatePromise.all(futures),
  allSettled: async (futures) =>
    (await RestatePromise.allSettled(futures)).map((each) =>
      each.status === "fulfilled" ? each.value : `failed: ${each.reason.message}`,
    ),
  any: (futures) => RestatePromise.any(futures),
  race: (futures) => RestatePromise.race(futures),
  // A combination of combinations: the first of the first two, with all of the others.
  nested: ([first, second, ...others]) => RestatePromise.all([RestatePromise.race([first, second]), ...others]),
  orTimeout: ([future]) => future.orTimeout(20),
};

// Everything that a handler can wait for.
const waiter = (name, options) =>
  restate.service({
    name,
    options,
    handlers: {
      sleep: async (ctx, duration) => {
        await ctx.sleep(duration);
        return "slept";
      },
      awakeable: async (ctx, tag) => {
        const { id, promise } = ctx.awakeable();
        await ctx.run("publish", recorder(tag, id));
        return orFailure(() => promise, (value) => ({ value }));
      },
      signal: async (ctx, name) => orFailure(() => ctx.signal(name), (value) => ({ value })),
      hold: async (ctx, tag) => compensated(ctx, tag, () => ctx.sleep(HOUR)),
      // Waits for what `point` names until it is cancelled.
      wait: async (ctx, { tag, point, target }) => {
        const closure = async () => {
          record(tag, "running");
          await released(tag);
          return "ran";
        };
        const forever = () => ctx.sleep(HOUR);
        const call = () => ctx.serviceClient({ name }).hold(`${tag}.callee`);
        const points = {
          sleep: forever,
          awakeable: () => ctx.awakeable().promise,
          call,
          signal: () => ctx.signal("never"),
          attach: () => ctx.attach(target),
          run: () => ctx.run("closure", closure),
          gather: () => RestatePromise.all([forever(), ctx.awakeable().promise, call()]),
          select: () => RestatePromise.race([forever(), ctx.awakeable().promise]),
        };
        return compensated(ctx, tag, points[point]);
      },
      // Combines several waits in one of the ways of the SDK.
      combine: async (ctx, { tag, way, parts }) => ways[way](parts.map((wished) => part(ctx, tag, wished))),
    },
  });

const tree = restate.service({
  name: "Tree",
  handlers: {
    // A chain of calls as deep as `depth`; the deepest one waits for ever, and with `slow` takes its time to clean up.
    grow: async (ctx, { tag, depth, slow }) => {
      const settle = async () => {
        record(tag, "settling");
        await released(tag);
      };
      const undo = [];
      try {
        for (const step of ["reserve", "pay"]) {
          undo.unshift(step);
          await ctx.run(step, recorder(tag, `${step} ${depth}`));
        }
        if (depth) return await ctx.serviceClient({ name: "Tree" }).grow({ tag, depth: depth - 1, slow });
        await ctx.sleep(HOUR);
      } catch (error) {
        if (error instanceof TerminalError) {
          if (slow && !depth) await ctx.run("settle", settle);
          for (const step of undo) await ctx.run(`undo ${step}`, recorder(tag, `undo ${step} ${depth}`));
        }
        throw error;
      }
      return "grown";
    },
  },
});

const sender = restate.service({
  name: "Sender",
  handlers: {
    // Waits until the test resolves the awakeable that it recorded.
    work: async (ctx, { tag, name }) => {
      const { id, promise } = ctx.awakeable();
      await ctx.run("publish", recorder(tag, `${name} ${id}`));
      record(tag, `${name} ${await promise}`);
    },
    // Sends two one-way calls, one of them delayed, and waits for ever.
    start: async (ctx, tag) => {
      const client = ctx.serviceSendClient({ name: "Sender" });
      client.work({ tag, name: "now" });
      client.work({ tag, name: "later" }, restate.rpc.sendOpts({ delay: 300 }));
      await ctx.run("sent", recorder(tag, "sent"));
      await ctx.sleep(HOUR);
    },
  },
});

const hidden = restate.service({
  name: "Hidden",
  options: { ingressPrivate: true },
  handlers: { greet: async (ctx, name) => `hello ${name}` },
});

const remote = restate.service({
  name: "Remote",
  handlers: {
    ask: async (ctx, name) => ctx.serviceClient(hidden).greet(name),
    // Calls with the same idempotency key, one after the other; gives both ids and both results.
    twice: async (ctx, { tag, key }) => {
      const seen = [];
      for (let i = 0; i < 2; i++) {
        const called = ctx.serviceClient(steps).run({ tag, count: 1 }, restate.rpc.opts({ idempotencyKey: key }));
        seen.push(await called.invocationId, await called);
      }
      return seen;
    },
    fan: async (ctx, count) => {
      const calls = Array.from({ length: count }, (_, i) => ctx.serviceClient(echo).echo(i));
      return (await RestatePromise.all(calls)).reduce((sum, each) => sum + each, 0);
    },
    // Adds to an object, once with a call for each amount.
    count: async (ctx, { key, amounts }) => {
      const totals = [];
      for (const amount of amounts) totals.push(await ctx.objectClient({ name: "Ledger" }, key).add(amount));
      return totals;
    },
    attach: async (ctx, invocation) => settled(ctx.attach(invocation)),
    cancel: async (ctx, invocation) => ctx.cancel(invocation),
    resolve: async (ctx, { id, value }) => ctx.resolveAwakeable(id, value),
    reject: async (ctx, { id, reason }) => ctx.rejectAwakeable(id, reason),
    // Sends a named signal.
    notify: async (ctx, { invocation, name, value, reason }) => {
      const signal = ctx.invocation(invocation).signal(name);
      if (reason) signal.reject(reason);
      else signal.resolve(value);
    },
  },
});

const handler = restate.createEndpointHandler({
  services: [
    echo,
    steps,
    limited("KilledWhenBroken", "kill"),
    limited("PausedWhenBroken", "pause"),
    ledger("Ledger"),
    ledger("LazyLedger", { enableLazyState: true }),
    approval,
    waiter("Waiter"),
    waiter("QuickWaiter", { inactivityTimeout: QUICK }),
    tree,
    sender,
    hidden,
    remote,
  ],
});
createServer(handler).listen({ fd: Number(process.argv[2]) });
