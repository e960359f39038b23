// A line that is dead and does not say so. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  FakeSocket,
  answers,
  asked,
  listeners,
  messages,
  opened,
  pass,
  said,
  sequences,
  stateNames,
  states,
} from "./harness.mjs";

const REFUSED_PING = { message: "Unknown action", status: 400, connectionId: "x", requestId: "y" };
const pings = () => FakeSocket.all.flatMap((socket) => socket.actions("ping")).length;

/** An open line to an API that is known to answer. */
async function answering(options) {
  const client = await opened(options);
  FakeSocket.last.receive({ type: "history", messages: [] });
  return client;
}

describe("a late confirmation", () => {
  test("asks for a sign of life after 5 s, and waits on where there is one", async () => {
    const client = await answering();
    const sending = client.send({ action: "say" }, { id: "a" });
    await pass(4_750);
    assert.equal(pings(), 0);
    await pass(250);
    assert.equal(pings(), 1);
    FakeSocket.last.receive({ type: "pong" });
    await pass(1_000);
    FakeSocket.last.receive({ ack: "a" });
    await sending;
    await pass(60_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.deepEqual([pings(), messages], [1, []]);
  });

  test("without one leads to a new line within 15 s, on which the message goes out under the same id", async () => {
    const client = await answering();
    const sending = client.send({ action: "say" }, { id: "a" });
    const [first] = FakeSocket.all;
    await pass(9_750);
    assert.equal(first.closedWith, null);
    await pass(500);
    assert.equal(first.closedWith, "abandoned");
    await pass(250);
    FakeSocket.last.accept();
    assert.deepEqual(FakeSocket.last.actions("say"), [{ action: "say", id: "a" }]);
    FakeSocket.last.receive({ ack: "a" });
    await sending;
    assert.deepEqual(stateNames(), ["connecting", "open", "waiting", "connecting", "open"]);
  });

  test("is asked about a bounded number of times while the server lives", async () => {
    FakeSocket.pongs = true;
    const client = await answering();
    const rejected = assert.rejects(client.send({ action: "say" }, { id: "a" }), { code: "unconfirmed" });
    await pass(60_000);
    await rejected;
    assert.equal(FakeSocket.all.length, 1);
    assert.ok(pings() <= 7, `${pings()} pings`);
  });

  test("and a line that dies after its sign of life is found dead too", async () => {
    const client = await answering();
    const sending = client.send({ action: "say" }, { id: "a" });
    await pass(5_000);
    FakeSocket.last.receive({ type: "pong" });
    await pass(10_500);
    assert.equal(FakeSocket.all[0].closedWith, "abandoned");
    FakeSocket.last.accept();
    FakeSocket.last.receive({ ack: "a" });
    await sending;
  });
});

describe("in a busy room", () => {
  const others = { type: "presence", people: [] };

  /** Seconds in which others are heard. */
  async function seconds(count, socket = FakeSocket.last) {
    for (let second = 0; second < count; second += 1) {
      await pass(1_000);
      socket.receive(others);
    }
  }

  test("a late confirmation is asked about although others are heard", async () => {
    FakeSocket.pongs = true;
    const client = await answering();
    const sending = client.send({ action: "say" }, { id: "a" });
    await seconds(4);
    assert.equal(pings(), 0);
    await seconds(2);
    assert.equal(pings(), 1);
    FakeSocket.last.receive({ ack: "a" });
    await sending;
    await seconds(60);
    assert.deepEqual([pings(), FakeSocket.all.length], [1, 1]);
  });

  test("a line on which nothing arrives any more is found by what is not answered", async () => {
    const client = await answering();
    const [first] = FakeSocket.all;
    const sending = client.send({ action: "say" }, { id: "a" });
    await seconds(17, first);
    assert.equal(first.closedWith, "abandoned");
    FakeSocket.last.accept();
    FakeSocket.last.receive({ ack: "a" });
    await sending;
  });

  test("of an API that does not answer, one question is put and no more", async () => {
    const client = await opened();
    const rejected = assert.rejects(client.send({ action: "say" }, { id: "a" }), { code: "unconfirmed" });
    await seconds(40);
    await rejected;
    assert.deepEqual([pings(), FakeSocket.all.length], [1, 1]);
  });

  test("messages that are confirmed by coming back are not asked about", async () => {
    const client = await opened({ history: null });
    FakeSocket.last.receive({ ack: "-" });
    for (let number = 0; number < 30; number += 1) {
      const sending = client.send({ action: "say" }, { id: `m${number}` });
      await seconds(1);
      FakeSocket.last.receive({ type: "message", id: `m${number}` });
      await sending;
    }
    await seconds(10);
    assert.equal(pings(), 0);
  });
});

describe("someone who writes every 20 s", () => {
  test("loses nothing when the line goes dead, and is on another within 15 s", async () => {
    const client = await answering({ history: null });
    FakeSocket.last.receive({ ack: "-" });
    const stored = [];
    const serve = (socket) => {
      for (const { id } of socket.actions("say")) if (!stored.includes(id)) stored.push(id);
      for (const id of stored) socket.receive({ ack: id });
    };
    const sendings = [];
    let back = null;
    for (let second = 0; second < 16 * 20; second += 1) {
      if (second % 20 === 0) sendings.push(client.send({ action: "say" }, { id: `m${second / 20}` }));
      if (second === 80) back = 0;
      const alive = FakeSocket.all.length > 1 ? FakeSocket.last : second < 80 ? FakeSocket.last : null;
      if (alive?.readyState === 0) {
        alive.accept();
        back = second - 80;
      }
      if (alive) serve(alive);
      await pass(1_000);
    }
    await Promise.all(sendings);
    assert.equal(FakeSocket.all.length, 2);
    assert.ok(back <= 15, `after ${back} s`);
    assert.deepEqual(stored, Array.from({ length: 16 }, (_, number) => `m${number}`));
  });

  test("keeps what is written meanwhile, and it goes out in order", async () => {
    const client = await answering();
    const sendings = ["a", "b", "c"].map((id) => client.send({ action: "say" }, { id }));
    await pass(10_500);
    FakeSocket.last.accept();
    for (const id of ["a", "b", "c"]) {
      assert.equal(FakeSocket.last.actions("say").at(-1).id, id);
      FakeSocket.last.receive({ ack: id });
    }
    await Promise.all(sendings);
    assert.equal(FakeSocket.last.actions("say").length, 3);
  });
});

describe("signs of life", () => {
  test("sending is none", async () => {
    const client = await answering();
    for (let second = 0; second < 10; second += 1) {
      client.post({ action: "typing" });
      await pass(1_000);
    }
    await pass(500);
    assert.equal(FakeSocket.all[0].closedWith, "abandoned");
  });

  for (const [what, frame] of [
    ["what others say", { type: "presence", people: [] }],
    ["an error", { message: "Internal server error", connectionId: "x", requestId: "y" }],
    ["what is no message at all", "?"],
  ]) {
    test(`${what} is one`, async () => {
      const client = await answering({ onMessage: () => {} });
      client.post({ action: "typing" });
      await pass(7_000);
      FakeSocket.last.receive(frame);
      await pass(60_000);
      assert.equal(FakeSocket.all.length, 1);
    });
  }

  // Counted with the client as it was before it looked for signs of life.
  for (const [who, talk] of [
    ["an idle line", () => {}],
    ["a line on which only others speak", () => FakeSocket.last.receive({ type: "presence" })],
  ]) {
    test(`${who} costs 22 pings in 95 minutes`, async () => {
      FakeSocket.pongs = true;
      await answering();
      for (let minute = 0; minute < 95; minute += 1) {
        talk();
        await pass(60_000);
      }
      assert.deepEqual([pings(), FakeSocket.all.length], [22, 1]);
    });
  }

  test("an idle line that has died is found by its next ping", async () => {
    await answering();
    await pass(4.5 * 60_000 + 5_000);
    assert.equal(FakeSocket.all[0].closedWith, "abandoned");
  });

  test("no ping, where the client is to send none", async () => {
    const client = await answering({ ping: null });
    const rejected = assert.rejects(client.send({ action: "say" }), { code: "unconfirmed" });
    listeners.online();
    await pass(60_000);
    await rejected;
    assert.deepEqual([pings(), FakeSocket.all.length], [0, 1]);
  });
});

describe("an old line", () => {
  test("is not waited for, and what comes from it late is not delivered again", async () => {
    const client = await answering();
    const [old] = FakeSocket.all;
    client.send({ action: "say" }, { id: "a" });
    await pass(10_500);
    assert.equal(old.readyState, 2); // closing, as it may be for minutes
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "history", messages: [said(1, "a")] });
    old.receive(said(1, "a"));
    old.receive({ type: "history", messages: [said(1, "a")] });
    FakeSocket.last.receive(said(2, "a")); // stored twice, since the first had arrived
    old.drop();
    await pass(1_000);
    assert.deepEqual(sequences(), [1]);
    assert.deepEqual([FakeSocket.all.length, client.state], [2, "open"]);
  });
});

describe("an API that does not answer", () => {
  test("is left alone, whatever is not confirmed: one question, and silence means nothing", async () => {
    const client = await opened();
    for (const id of ["a", "b"]) {
      const rejected = assert.rejects(client.send({ action: "say" }, { id }), { code: "unconfirmed" });
      await pass(35_000);
      await rejected;
    }
    for (const id of ["c", "d"]) {
      const sending = client.send({ action: "say" }, { id });
      await pass(7_000);
      FakeSocket.last.receive({ type: "message", id, sender: "red" }); // back through its channel
      await sending;
    }
    listeners.online();
    await pass(120_000);
    assert.deepEqual([pings(), FakeSocket.all.length], [2, 1]);
  });

  test("is known to answer from any connection: a new line that was never heard can be dead", async () => {
    const client = await answering();
    FakeSocket.last.drop();
    await pass(250);
    FakeSocket.last.accept();
    const [, second] = FakeSocket.all;
    client.post({ action: "enter" });
    await pass(10_000);
    assert.equal(second.closedWith, "abandoned");
  });

  test("any more: after three lines without an answer silence means nothing again, until there is one", async () => {
    const client = await answering();
    client.send({ action: "say" }, { id: "a" }).catch(() => {});
    for (let line = 0; line < 3; line += 1) {
      const count = FakeSocket.all.length;
      while (FakeSocket.all.length === count) await pass(1_000);
      FakeSocket.last.accept();
    }
    await pass(10 * 60_000);
    assert.equal(FakeSocket.all.length, 4);
    FakeSocket.last.receive({ type: "pong" });
    listeners.online();
    await pass(21_000);
    assert.equal(FakeSocket.all[3].closedWith, "abandoned");
  });

  test("yet: one ping shows it, where nothing else does", async () => {
    const client = await opened({ history: null, onMessage: () => {} });
    client.post({ action: "say" });
    FakeSocket.last.receive({ ok: true });
    assert.equal(pings(), 1);
    FakeSocket.last.receive({ type: "pong" });
    client.post({ action: "say" });
    FakeSocket.last.receive({ ok: true });
    assert.equal(pings(), 1);
    client.post({ action: "say" });
    await pass(10_000);
    assert.equal(FakeSocket.last.closedWith, "abandoned");
  });

  test("to pings, but with a refusal, answers too: no message fails for it, and the page is not told", async () => {
    const client = await answering({ history: null });
    const sending = client.send({ action: "say" }, { id: "a" });
    await pass(5_000);
    FakeSocket.last.receive(REFUSED_PING);
    await pass(1_000);
    FakeSocket.last.receive({ ack: "a" });
    await sending;
    assert.deepEqual(messages.filter(({ status }) => status), []);
  });
});

describe("a slow server", () => {
  test("that answers after 6 s keeps its line", async () => {
    const client = await answering();
    for (const id of ["a", "b", "c"]) {
      const sending = client.send({ action: "say" }, { id });
      await pass(6_000);
      FakeSocket.last.receive({ ack: id });
      await sending;
    }
    await pass(5_000);
    FakeSocket.last.receive({ type: "pong" });
    assert.equal(FakeSocket.all.length, 1);
  });

  test("that answers after 12 s costs one line, not one after another", async () => {
    const client = await answering();
    const answer = ({ action, id }) =>
      ({ say: { ack: id }, ping: { type: "pong" }, history: { type: "history", messages: [] } })[action];
    const sendings = [];
    for (let second = 0; second < 120; second += 1) {
      if (second % 40 === 0) sendings.push(client.send({ action: "say" }, { id: `m${second}` }));
      for (const socket of FakeSocket.all) {
        if (socket.readyState === 0) socket.accept();
        socket.due ??= [];
        while (socket.due.length < socket.sent.length) socket.due.push(second + 12);
        socket.due.forEach((due, index) => due === second && socket.receive(answer(socket.sent[index])));
      }
      await pass(1_000);
    }
    await Promise.all(sendings);
    assert.equal(FakeSocket.all.length, 2);
  });
});

describe("the next token", () => {
  test("is fetched before the line is given up, and asked for again where nothing comes", async () => {
    const client = await answering();
    client.send({ action: "say" }, { id: "a" });
    answers.push(new Promise(() => {}), new Promise(() => {}));
    await pass(5_750);
    assert.equal(asked.length, 1);
    await pass(2_500); // at 6 s, at 6.7 s, and the answer at 7.4 s
    assert.equal(asked.length, 4);
    await pass(2_500);
    assert.deepEqual([asked.length, FakeSocket.all.length], [4, 2]);
    assert.equal(asked[1][1].signal.aborted, true);
    FakeSocket.last.accept();
    FakeSocket.last.receive({ ack: "a" });
  });

  test("is not asked for endlessly, nor by more than five at once", async () => {
    const client = await answering();
    client.post({ action: "say" });
    for (let time = 0; time < 7; time += 1) answers.push(new Promise(() => {}));
    await pass(12_000);
    assert.equal(asked.length, 8);
    assert.equal(asked.slice(1).filter(([, { signal }]) => !signal.aborted).length, 5);
    await pass(12_000);
    assert.equal(FakeSocket.all.length, 2); // a fresh one, when nothing came of these
  });

  test("is not used if the line has answered, and not fetched at all if it answers at once", async () => {
    const client = await answering();
    client.send({ action: "say" }, { id: "a" });
    await pass(5_000);
    FakeSocket.last.receive({ type: "pong" });
    await pass(3_000);
    assert.equal(asked.length, 1);
    await pass(4_000);
    assert.equal(asked.length, 2);
    FakeSocket.last.receive({ ack: "a" });
    FakeSocket.last.drop();
    await pass(500);
    assert.equal(FakeSocket.last.protocols[1], "ws-token.t3");
  });

  test("that could not be fetched ahead is fetched when it is needed", async () => {
    const client = await answering();
    client.post({ action: "say" });
    answers.push(new TypeError("Failed to fetch"));
    await pass(10_500);
    assert.deepEqual([asked.length, FakeSocket.all.length], [3, 2]);
    assert.equal(states.at(-1)[0], "connecting");
  });
});
