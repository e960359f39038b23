// Messages in order, each once, none missed. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { FakeSocket, caughtUp, gaps, messages, opened, pass, reported, said, sequences } from "./harness.mjs";

describe("order", () => {
  test("history comes first, live messages wait for it, doubles are dropped", async () => {
    await opened();
    assert.deepEqual(FakeSocket.last.actions("history"), [{ action: "history", after: null }]);
    FakeSocket.last.receive(said(4));
    FakeSocket.last.receive({ type: "presence" });
    assert.deepEqual(sequences(), [undefined]);
    assert.equal(caughtUp, 0);
    FakeSocket.last.receive({ type: "history", messages: [said(2), said(3), said(4)] });
    assert.equal(caughtUp, 1);
    FakeSocket.last.receive(said(3));
    FakeSocket.last.receive(said(5));
    assert.deepEqual(sequences(), [undefined, 2, 3, 4, 5]);
  });

  test("a reconnect asks for what came after the last one", async () => {
    const client = await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(7)] });
    FakeSocket.last.drop();
    await pass(250);
    FakeSocket.last.accept();
    assert.deepEqual(FakeSocket.last.actions("history"), [{ action: "history", after: 7 }]);
    FakeSocket.last.receive({ type: "history", messages: [said(8)], more: true });
    assert.equal(FakeSocket.last.actions("history").at(-1).after, 8);
    FakeSocket.last.receive({ type: "history", messages: [said(9)] });
    assert.deepEqual(sequences(), [7, 8, 9]);
    assert.equal(client.lastSequence, 9);
    assert.deepEqual(gaps, []);
  });

  test("many pages of history are all fetched", async () => {
    await opened({ after: 0 });
    for (let page = 1; page <= 12; page += 1) {
      FakeSocket.last.receive({ type: "history", messages: [said(page)], more: page < 12 });
    }
    assert.equal(sequences().length, 12);
    assert.equal(FakeSocket.last.actions("history").length, 12);
  });

  test("messages that overtake each other are put right without asking", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    FakeSocket.last.receive(said(3));
    FakeSocket.last.receive(said(2));
    await pass(60_000);
    assert.deepEqual(sequences(), [1, 2, 3]);
    assert.equal(FakeSocket.last.actions("history").length, 1);
  });

  test("a number that no message has is asked for once, and passed over", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    FakeSocket.last.receive(said(3));
    await pass(400);
    assert.equal(FakeSocket.last.actions("history").at(-1).after, 1);
    FakeSocket.last.receive({ type: "history", messages: [said(3)], recovered: true });
    FakeSocket.last.receive(said(4));
    await pass(60_000);
    assert.deepEqual(sequences(), [1, 3, 4]);
    assert.equal(FakeSocket.last.actions("history").length, 2);
    assert.deepEqual(gaps, []);
  });

  test("a message that never comes is fetched", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    FakeSocket.last.receive(said(3));
    await pass(400);
    assert.equal(FakeSocket.last.actions("history").at(-1).after, 1);
    FakeSocket.last.receive({ type: "history", messages: [said(2), said(3)] });
    assert.deepEqual(sequences(), [1, 2, 3]);
    assert.deepEqual(gaps, []);
  });

  test("a number that no message has is asked about once, and what follows it is delivered", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    FakeSocket.last.receive(said(3));
    await pass(500);
    FakeSocket.last.receive({ type: "history", messages: [said(3)] }); // as of a number that was buried long ago
    FakeSocket.last.receive(said(5));
    await pass(500);
    FakeSocket.last.receive({ type: "history", messages: [said(5)], recovered: false }); // buried just now
    FakeSocket.last.receive(said(6));
    await pass(60_000);
    assert.deepEqual(sequences(), [1, 3, 5, 6]);
    assert.deepEqual(gaps, [1]);
    assert.equal(FakeSocket.last.actions("history").length, 3);
  });

  test("a hole is asked about in a busy channel too", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    for (let sequence = 3; sequence < 8; sequence += 1) {
      FakeSocket.last.receive(said(sequence));
      await pass(100);
    }
    assert.equal(FakeSocket.last.actions("history").at(-1).after, 1);
  });

  test("a hole that nobody can fill is reported, and does not hold up the rest", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    FakeSocket.last.receive(said(3));
    for (let ask = 0; ask < 3; ask += 1) {
      await pass(400);
      FakeSocket.last.receive({ type: "history", messages: [] });
    }
    assert.deepEqual(sequences(), [1, 3]);
    assert.deepEqual(gaps, [1]);
    assert.equal(FakeSocket.last.actions("history").length, 4);
  });

  test("history that is not answered is asked for again, then done without", async () => {
    await opened();
    FakeSocket.last.receive(said(5));
    await pass(10_000);
    await pass(10_000);
    assert.equal(FakeSocket.last.actions("history").length, 3);
    await pass(10_000);
    assert.deepEqual(sequences(), [5]);
  });

  test("the first message of a silent channel may not have been the first", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [] });
    FakeSocket.last.receive(said(6));
    assert.deepEqual(sequences(), []);
    FakeSocket.last.receive({ type: "history", messages: [said(5), said(6)] });
    assert.deepEqual(sequences(), [5, 6]);
  });

  test("what the server no longer has is a gap", async () => {
    await opened({ after: 3 });
    FakeSocket.last.receive({ type: "history", messages: [said(90), said(91)], recovered: false });
    assert.deepEqual(sequences(), [90, 91]);
    assert.deepEqual(gaps, [1]);
  });

  test("a channel that counts anew is followed", async () => {
    await opened({ after: 70 });
    FakeSocket.last.receive({ type: "history", messages: [said(1), said(2)], recovered: false });
    FakeSocket.last.receive(said(3));
    assert.deepEqual(sequences(), [1, 2, 3]);
  });

  test("one message stored under two sequences is delivered once", async () => {
    await opened();
    FakeSocket.last.receive({ type: "history", messages: [said(1, "same"), said(2, "same"), said(3)] });
    assert.deepEqual(sequences(), [1, 3]);
  });

  test("a page that fails at one message is told the next, and its error is reported", async () => {
    await opened({
      onMessage: (message) => {
        if (message.sequence === 1) throw new TypeError("no such element");
        messages.push(message);
      },
    });
    FakeSocket.last.receive({ type: "history", messages: [said(1), said(2)] });
    FakeSocket.last.receive(said(3));
    assert.deepEqual(sequences(), [2, 3]);
    assert.deepEqual(reported.map(({ message }) => message), ["no such element"]);
  });

  test("without history messages pass as they come", async () => {
    await opened({ history: null });
    for (const sequence of [9, 4]) FakeSocket.last.receive(said(sequence));
    FakeSocket.last.receive({ type: "history", own: true });
    assert.deepEqual(sequences(), [9, 4, undefined]);
    assert.deepEqual(FakeSocket.last.sent, []);
  });
});
