// What the browser tells of its network, and sleep. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";

import {
  FakeSocket,
  answers,
  asked,
  json,
  listeners,
  opened,
  pass,
  settle,
  sleep,
  start,
  stateNames,
  states,
} from "./harness.mjs";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const pings = () => FakeSocket.last.actions("ping").length;

/** Something with events, such as the document or its network. */
function target(fields = {}) {
  const heard = {};
  return {
    heard,
    addEventListener: (name, action) => (heard[name] = action),
    removeEventListener: (name) => delete heard[name],
    ...fields,
  };
}

function pretend(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true });
  return value;
}

afterEach(() => {
  delete globalThis.document;
  delete globalThis.navigator;
});

describe("the network goes", () => {
  test("and that is shown at once, while the line is asked", async () => {
    FakeSocket.pongs = true;
    const client = await opened();
    FakeSocket.last.receive({ type: "history", messages: [] });
    listeners.offline();
    assert.equal(client.state, "offline");
    assert.equal(pings(), 1);
    await pass(MINUTE);
    assert.equal(client.state, "offline"); // as long as the browser says so
    assert.equal(FakeSocket.all.length, 1);
  });

  test("and what does not answer then is given up; attempts are not shown", async () => {
    const client = await opened();
    FakeSocket.last.receive({ type: "history", messages: [] });
    for (let attempt = 0; attempt < 4; attempt += 1) answers.push(new TypeError("Failed to fetch"));
    listeners.offline();
    await pass(10_000);
    assert.equal(FakeSocket.all[0].closedWith, "abandoned");
    assert.deepEqual(new Set(stateNames().slice(2)), new Set(["offline"]));
    assert.ok(states.at(-1)[1].retryIn > 0);
    assert.equal(client.state, "offline");
  });

  test("without coming back in so many words, while the browser has it and the line speaks", async () => {
    const client = await opened();
    listeners.offline();
    pretend("navigator", { onLine: true });
    FakeSocket.last.receive({ type: "presence" });
    assert.equal(client.state, "open");
    listeners.online(); // at last
    await settle();
    assert.equal(FakeSocket.all.length, 2);
  });

  test("before the first connection, as the browser says", async () => {
    pretend("navigator", { onLine: false });
    answers.push(new TypeError("Failed to fetch"));
    const client = await start();
    assert.deepEqual(stateNames(), ["offline", "offline"]);
    await pass(250);
    FakeSocket.last.accept();
    assert.equal(client.state, "open"); // whatever the browser says
  });
});

describe("the network comes back", () => {
  test("and the client connects at once, keeping the old line until the new one is up", async () => {
    const client = await opened();
    const [old] = FakeSocket.all;
    listeners.offline();
    listeners.online();
    await settle();
    assert.equal(client.state, "connecting");
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(old.closedWith, null);
    FakeSocket.last.accept();
    assert.equal(old.closedWith, 1000);
    assert.equal(client.state, "open");
  });

  test("and the old line, should it speak, will do until then", async () => {
    const client = await opened();
    listeners.offline();
    answers.push(json(503, {}));
    listeners.online();
    await settle();
    assert.equal(client.state, "connecting");
    FakeSocket.all[0].receive({ type: "presence" });
    assert.equal(client.state, "open");
  });

  test("and an attempt that hangs is begun anew", async () => {
    await opened();
    FakeSocket.last.drop();
    await pass(250);
    const [, hanging] = FakeSocket.all;
    listeners.offline();
    listeners.online();
    await settle();
    assert.equal(FakeSocket.all.length, 3);
    assert.equal(hanging.closedWith, 1000);
    FakeSocket.last.accept();
    await pass(MINUTE);
    assert.equal(FakeSocket.all.length, 3);
  });

  test("again and again, and an attempt is made every 5 s at most", async () => {
    await opened();
    for (let time = 0; time < 60; time += 1) {
      listeners.offline();
      await pass(500);
      listeners.online();
      await pass(500);
    }
    assert.ok(asked.length <= 14, `${asked.length} tokens in a minute`);
    await pass(5_000);
    FakeSocket.last.accept();
    const attempts = FakeSocket.all.length;
    await pass(MINUTE);
    assert.equal(FakeSocket.all.length, attempts);
  });

  test("while the server has asked for a pause, which is kept", async () => {
    answers.push(json(429, {}, { headers: { "Retry-After": "30" } }));
    await start();
    await pass(5_000);
    listeners.offline();
    listeners.online();
    await pass(24_000);
    assert.equal(asked.length, 1);
    await pass(2_000);
    assert.equal(asked.length, 2);
  });

  test("and what was written meanwhile goes out in order", async () => {
    const client = await opened();
    listeners.offline();
    const sendings = ["a", "b"].map((id) => client.send({ action: "say" }, { id }));
    await pass(5_000);
    listeners.online();
    await settle();
    FakeSocket.last.accept();
    for (const id of ["a", "b"]) {
      assert.equal(FakeSocket.last.actions("say").at(-1).id, id);
      FakeSocket.last.receive({ ack: id });
    }
    await Promise.all(sendings);
  });
});

describe("another network", () => {
  for (const [what, before, after, expected] of [
    ["of another kind is a reason to ask", { type: "wifi" }, { type: "cellular" }, 1],
    ["that is only slower is none", { type: "wifi", effectiveType: "4g" }, { effectiveType: "3g" }, 0],
    ["of unknown kind, on which things go otherwise, is one", { effectiveType: "4g" }, { effectiveType: "3g" }, 1],
    ["of which nothing is known is one", {}, {}, 1],
  ]) {
    test(what, async () => {
      const connection = target(before);
      pretend("navigator", { connection });
      await opened();
      Object.assign(connection, after);
      connection.heard.change();
      assert.equal(pings(), expected);
    });
  }
});

describe("waking up", () => {
  for (const [what, wake] of [
    ["a tab that is seen again", (page) => page.heard.visibilitychange()],
    ["a page that was frozen", (page) => page.heard.resume()],
    ["a page that one comes back to", () => listeners.pageshow({ persisted: true })],
  ]) {
    test(`${what} asks, and finds a dead line within 5 s`, async () => {
      const page = pretend("document", target({ visibilityState: "visible", querySelector: () => null }));
      await opened();
      const [first] = FakeSocket.all;
      first.receive({ type: "history", messages: [] });
      wake(page);
      assert.equal(pings(), 1);
      await pass(5_000);
      assert.equal(first.closedWith, "abandoned");
    });
  }

  test("a page that is shown for the first time does not ask", async () => {
    await opened();
    listeners.pageshow({ persisted: false });
    assert.equal(pings(), 0);
  });

  test("a minute's sleep is noticed within 5 s, and the line asked", async () => {
    await opened();
    sleep(MINUTE);
    await pass(5_000);
    assert.equal(pings(), 1);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("the timers of a hidden page come late, which is no sleep", async () => {
    pretend("document", target({ hidden: true, visibilityState: "hidden", querySelector: () => null }));
    await opened();
    sleep(MINUTE);
    await pass(5_000);
    assert.equal(pings(), 0);
  });

  test("after three hours no line can have lasted: another, also where silence means nothing", async () => {
    const client = await opened({ history: null });
    const [first] = FakeSocket.all;
    sleep(3 * HOUR);
    await pass(1_000);
    assert.equal(first.closedWith, "abandoned");
    await pass(1_000);
    assert.equal(FakeSocket.all.length, 2);
    FakeSocket.last.accept();
    assert.equal(client.state, "open");
  });

  test("an attempt that was slept through is begun anew", async () => {
    await start();
    sleep(3 * HOUR);
    await pass(1_000);
    assert.equal(FakeSocket.all[0].closedWith !== null, true);
    FakeSocket.last.accept();
    const attempts = FakeSocket.all.length;
    await pass(MINUTE);
    assert.equal(FakeSocket.all.length, attempts);
  });

  test("an answer that came while the page slept is seen before the line is given up", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [] });
    listeners.online();
    sleep(9_000);
    await pass(250);
    assert.equal(FakeSocket.last.closedWith, null);
    FakeSocket.last.receive({ type: "pong" });
    await pass(10_000);
    assert.equal(FakeSocket.all.length, 1);
  });
});

test("close() stops listening to all of it", async () => {
  const page = pretend("document", target({ visibilityState: "visible", querySelector: () => null }));
  const connection = target();
  pretend("navigator", { connection });
  const client = await opened();
  client.close();
  assert.deepEqual([listeners, page.heard, connection.heard], [{}, {}, {}]);
  sleep(HOUR);
  await pass(MINUTE);
  assert.equal(FakeSocket.all.length, 1);
});
