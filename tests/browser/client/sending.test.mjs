// Confirmations, refusals and queues. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { FakeSocket, messages, opened, pass, said, sequences, start } from "./harness.mjs";

describe("sending", () => {
  test("resolves with the confirmation, which the page does not see as a message", async () => {
    const client = await opened();
    const sending = client.send({ action: "chat_message", message: "hi" }, { id: "m1" });
    assert.deepEqual(FakeSocket.last.actions("chat_message"), [{ action: "chat_message", message: "hi", id: "m1" }]);
    FakeSocket.last.receive({ ack: "m1", sequence: 4 });
    assert.deepEqual(await sending, { ack: "m1", sequence: 4 });
    assert.deepEqual(messages, []);
  });

  test("the message itself coming back is a confirmation too, and is delivered", async () => {
    const client = await opened({ history: null });
    const sending = client.send({ action: "chat_message" }, { id: "m1" });
    FakeSocket.last.receive(said(1, "m1"));
    assert.equal((await sending).sequence, 1);
    assert.deepEqual(sequences(), [1]);
  });

  test("what was sent while offline, or not confirmed, goes out in order on the next connection", async () => {
    const client = await start();
    const sendings = ["a", "b"].map((id) => client.send({ action: "chat_message" }, { id }));
    FakeSocket.last.accept();
    assert.deepEqual(FakeSocket.last.actions("chat_message").map(({ id }) => id), ["a"]);
    FakeSocket.last.receive({ ack: "a" });
    assert.deepEqual(FakeSocket.last.actions("chat_message").map(({ id }) => id), ["a", "b"]);
    FakeSocket.last.drop();
    sendings.push(client.send({ action: "chat_message" }, { id: "c" }));
    await pass(250);
    FakeSocket.last.accept();
    FakeSocket.last.receive({ ack: "b" });
    assert.deepEqual(FakeSocket.last.actions("chat_message").map(({ id }) => id), ["b", "c"]);
    FakeSocket.last.receive({ ack: "c" });
    await Promise.all(sendings);
  });

  test("one that is refused or never confirmed, on a line that answers, does not hold up the next", async () => {
    FakeSocket.pongs = true;
    const client = await opened({ history: null });
    const first = assert.rejects(client.send({ action: "say" }, { id: "a" }), { code: "refused" });
    const second = assert.rejects(client.send({ action: "say" }, { id: "b" }), { code: "unconfirmed" });
    const third = client.send({ action: "say" }, { id: "c" });
    FakeSocket.last.receive({ nack: "a" });
    await pass(35_000);
    FakeSocket.last.receive({ ack: "c" });
    await Promise.all([first, second, third]);
    assert.deepEqual(FakeSocket.last.actions("say").map(({ id }) => id), ["a", "b", "c"]);
  });

  test("a refusal rejects with the server's reason", async () => {
    const client = await opened();
    const sending = client.send({ action: "chat_message" }, { id: "m1" });
    FakeSocket.last.receive({ nack: "m1", error: "Too long" });
    await assert.rejects(sending, { name: "SendError", code: "refused", message: "Too long" });
  });

  for (const [what, frame, code] of [
    ["too many messages", { message: "Too many messages", status: 429 }, "failed"],
    ["no such action", { message: "Unknown action", status: 400 }, "refused"],
    ["an exception", { message: "Internal server error" }, "failed"],
  ]) {
    test(`an error frame (${what}) rejects what is under way at once, and the next goes out`, async () => {
      const client = await opened({ history: null });
      const first = assert.rejects(client.send({ action: "say" }, { id: "a" }), { code, message: frame.message });
      const second = client.send({ action: "say" }, { id: "b" });
      FakeSocket.last.receive({ ...frame, connectionId: "x", requestId: "y" });
      await first;
      FakeSocket.last.receive({ ack: "b" });
      await second;
      assert.equal(messages[0].message, frame.message);
    });
  }

  test("a message that looks like an error frame is none", async () => {
    const client = await opened({ history: null });
    const sending = client.send({ action: "say" }, { id: "a" });
    FakeSocket.last.receive({ message: "hi", status: 400 });
    FakeSocket.last.receive({ ack: "a" });
    await sending;
  });

  test("silence rejects, and counts only while connected", async () => {
    const client = await opened();
    const sending = client.send({ action: "chat_message" }, { id: "m1" });
    const rejected = assert.rejects(sending, { code: "unconfirmed" });
    await pass(30_000);
    FakeSocket.last.drop();
    await pass(250);
    await pass(14_000);
    FakeSocket.last.accept();
    await pass(34_000);
    assert.equal(FakeSocket.last.actions("chat_message").length, 1);
    await pass(1_000);
    await rejected;
  });

  test("what would cost the connection is not sent", async () => {
    const client = await opened();
    await assert.rejects(client.send({ message: "€".repeat(11_000) }), { code: "too-large" });
    assert.throws(() => client.post({ message: "x".repeat(33_000) }), { code: "too-large" });
    assert.equal(FakeSocket.last.sent.some(({ message }) => message), false);
  });

  test("the queue has an end", async () => {
    const client = await start({ queueLimit: 1 });
    const first = assert.rejects(client.send({}), { code: "closed" });
    await assert.rejects(client.send({}), { code: "full" });
    client.close();
    await first;
  });
});
