// Renewing, pinging, and noticing that a connection is dead. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DEFAULTS } from "../../../ws_lambda/static/ws_lambda/client.js";
import {
  FakeSocket,
  answers,
  json,
  listeners,
  messages,
  opened,
  pass,
  said,
  sequences,
  stateNames,
  states,
} from "./harness.mjs";

describe("staying connected", () => {
  test("renews before two hours, the new connection first, and misses nothing in between", async () => {
    FakeSocket.pongs = true;
    await opened();
    const [old] = FakeSocket.all;
    old.receive({ type: "history", messages: [said(1)] });
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(old.closedWith, null);
    old.receive(said(2));
    FakeSocket.last.accept();
    assert.equal(old.closedWith, 1000);
    old.receive(said(3));
    FakeSocket.last.receive({ type: "history", messages: [said(2), said(3), said(4)] });
    assert.deepEqual(sequences(), [1, 2, 3, 4]);
    assert.deepEqual(stateNames(), ["connecting", "open", "open"]);
  });

  test("the latest renewal lies inside the two hours", () => {
    assert.ok(DEFAULTS.renewAfter + DEFAULTS.renewSpread < 120 * 60_000);
  });

  test("a renewal that fails keeps the old connection and is tried again", async () => {
    await opened();
    answers.push(json(500, {}));
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    assert.equal(FakeSocket.all.length, 1);
    await pass(250);
    assert.equal(FakeSocket.all.length, 2);
    assert.equal(stateNames().at(-1), "open");
  });

  test("a renewal that is refused is tried ever more seldom, whatever is said meanwhile", async () => {
    FakeSocket.pongs = true;
    await opened();
    const [old] = FakeSocket.all;
    old.receive({ type: "history", messages: [] });
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    for (const wait of [250, 500, 1000, 2000, 4000]) {
      const tried = FakeSocket.all.length;
      FakeSocket.last.drop();
      old.receive({ type: "presence" });
      await pass(wait - 1);
      assert.equal(FakeSocket.all.length, tried);
      await pass(1);
      assert.equal(FakeSocket.all.length, tried + 1);
    }
    assert.equal(stateNames().at(-1), "open");
  });

  test("the old connection dying during a renewal is noticed", async () => {
    await opened();
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    FakeSocket.all[0].drop();
    assert.equal(states.at(-1)[0], "connecting");
    FakeSocket.last.accept();
    assert.equal(states.at(-1)[0], "open");
  });

  test("pings well inside ten minutes of silence, and not while it is talking", async () => {
    const client = await opened({ history: null });
    await pass(200_000);
    client.post({ action: "typing" });
    await pass(200_000);
    assert.equal(FakeSocket.last.actions("ping").length, 0);
    await pass(100_000);
    assert.equal(FakeSocket.last.actions("ping").length, 1);
  });

  test("goes on pinging after an answer that was slower than the next ping", async () => {
    await opened({ pingEvery: 2_000, history: null });
    await pass(4_000);
    FakeSocket.last.receive({ type: "pong" });
    const pinged = FakeSocket.last.actions("ping").length;
    await pass(4_000);
    assert.ok(FakeSocket.last.actions("ping").length > pinged);
  });

  test("a dead connection is noticed on waking, and replaced", async () => {
    await opened();
    const [first] = FakeSocket.all;
    listeners.online();
    first.receive({ type: "pong" });
    await pass(10_000);
    assert.equal(first.closedWith, null);
    listeners.online();
    await pass(10_000);
    assert.equal(first.closedWith, "abandoned");
    await pass(250);
    assert.equal(FakeSocket.all.length, 2);
  });

  test("a connection that has answered anything can be found dead, before its first ping too", async () => {
    await opened();
    const [first] = FakeSocket.all;
    first.receive({ type: "history", messages: [] });
    listeners.online();
    await pass(10_000);
    assert.equal(first.closedWith, "abandoned");
  });

  test("an API that never answers pings is left alone", async () => {
    await opened();
    listeners.online();
    await pass(60_000);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("a connection that the server no longer knows is replaced", async () => {
    await opened();
    FakeSocket.last.receive({ message: "Invalid connection ID", status: 400, connectionId: "x", requestId: "y" });
    assert.equal(FakeSocket.last.closedWith, "abandoned");
    await pass(500);
    assert.equal(FakeSocket.all.length, 2);
  });

  test("what the old connection is told while it is renewed does not end the new one", async () => {
    await opened();
    const [old] = FakeSocket.all;
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    FakeSocket.last.accept();
    old.receive({ message: "Invalid connection ID", status: 400, connectionId: "x", requestId: "y" });
    assert.equal(FakeSocket.last.closedWith, null);
    assert.equal(stateNames().at(-1), "open");
  });

  test("frames that are not JSON objects are passed over", async () => {
    await opened();
    for (const junk of ["{", "null", "5"]) FakeSocket.last.receive(junk);
    assert.deepEqual(messages, []);
  });
});
