// The browser client against a made-up server: `node --test tests/browser/client.test.mjs`. Time is virtual.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";

import { connect, DEFAULTS } from "../../ws_lambda/static/ws_lambda/client.js";
import { csrfToken, fetchToken, SignedOutError, TokenError } from "../../ws_lambda/static/ws_lambda/token.js";

class FakeSocket {
  static all = [];
  readyState = 0;
  sent = [];
  closedWith = null;

  constructor(url, protocols) {
    Object.assign(this, { url: new URL(url), protocols });
    FakeSocket.all.push(this);
  }
  static get last() {
    return FakeSocket.all.at(-1);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.readyState = 2;
    this.closedWith = code ?? "abandoned";
  }
  accept() {
    this.readyState = 1;
    this.onopen?.();
  }
  receive(frame) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  drop() {
    this.readyState = 3;
    this.onclose?.({});
  }
  actions(name) {
    return this.sent.filter(({ action }) => action === name);
  }
}

let caughtUp = 0;
let answers, asked, clients, states, messages, gaps, listeners;

const json = (status, body, extra = {}) => ({
  ok: status < 400,
  status,
  redirected: false,
  headers: new Headers(extra.headers),
  json: async () => body,
  ...extra.response,
});

/** Lets promises settle; none of them depends on a timer. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

async function start(options = {}) {
  const client = connect({
    tokenUrl: "/api/ws-token/",
    channel: "general",
    csrf: "abc",
    onMessage: (message) => messages.push(message),
    onState: (state, detail) => states.push([state, detail]),
    onGap: () => gaps.push(1),
    onCaughtUp: () => (caughtUp += 1),
    ...options,
  });
  clients.push(client);
  await settle();
  return client;
}

async function opened(options = {}) {
  const client = await start(options);
  FakeSocket.last.accept();
  return client;
}

const said = (sequence, id = `id-${sequence}`) => ({ type: "message", sequence, id, sender: "red" });
const sequences = () => messages.map(({ sequence }) => sequence);
const stateNames = () => states.map(([name]) => name);

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 0.5);
  [answers, asked, clients, states, messages, gaps, FakeSocket.all] = [[], [], [], [], [], [], []];
  listeners = {};
  caughtUp = 0;
  let minted = 0;
  globalThis.WebSocket = FakeSocket;
  globalThis.addEventListener = (name, action) => (listeners[name] = action);
  globalThis.removeEventListener = (name) => delete listeners[name];
  globalThis.fetch = async (url, init) => {
    asked.push([url, init]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? json(200, { token: `t${(minted += 1)}`, expires_in: 60, url: "wss://ws.example.com/dev" });
  };
});

afterEach(() => {
  for (const client of clients) if (client.state !== "closed") client.close();
  mock.timers.reset();
  mock.restoreAll();
});

describe("opening", () => {
  test("fetches a token with CSRF and opens the channel with it as a subprotocol", async () => {
    await opened();
    const [url, init] = asked[0];
    assert.equal(url, "/api/ws-token/");
    assert.equal(init.method, "POST");
    assert.equal(init.headers["X-CSRFToken"], "abc");
    assert.equal(FakeSocket.last.url.href, "wss://ws.example.com/dev?channel=general");
    assert.deepEqual(FakeSocket.last.protocols, ["ws-lambda", "ws-token.t1"]);
    assert.deepEqual(stateNames(), ["connecting", "open"]);
  });

  test("the token can go in the query instead", async () => {
    await opened({ tokenTransport: "query", channel: "a b&c" });
    assert.equal(FakeSocket.last.url.searchParams.get("ws_token"), "t1");
    assert.equal(FakeSocket.last.url.searchParams.get("channel"), "a b&c");
    assert.deepEqual(FakeSocket.last.protocols, ["ws-lambda"]);
  });

  test("a socket that never opens is given up and tried again with a fresh token", async () => {
    await start();
    await pass(15_000);
    assert.equal(FakeSocket.all[0].closedWith, "abandoned");
    assert.equal(states.at(-1)[0], "waiting");
    await pass(1_000);
    assert.deepEqual(FakeSocket.all[1].protocols, ["ws-lambda", "ws-token.t2"]);
  });
});

describe("reconnecting", () => {
  test("waits a random part of a doubling time, and starts over after a frame was heard", async () => {
    await start();
    const waits = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      FakeSocket.last.drop();
      waits.push(states.at(-1)[1].retryIn);
      await pass(waits.at(-1));
    }
    assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "hello" });
    FakeSocket.last.drop();
    assert.equal(states.at(-1)[1].retryIn, 250);
    assert.equal(new Set(FakeSocket.all.map(({ protocols }) => protocols[1])).size, 10);
  });

  test("a connection that opens and closes without a word does not reset the waiting", async () => {
    await opened();
    FakeSocket.last.drop();
    await pass(250);
    FakeSocket.last.accept();
    FakeSocket.last.drop();
    assert.equal(states.at(-1)[1].retryIn, 500);
  });

  test("waits as long as a 429 asks for", async () => {
    answers = [json(429, {}, { headers: { "Retry-After": "7" } })];
    await start();
    assert.equal(states.at(-1)[1].retryIn, 7250);
    await pass(7250);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("a failing network is tried again", async () => {
    answers = [new TypeError("Failed to fetch")];
    await start();
    assert.equal(states.at(-1)[0], "waiting");
    await pass(250);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("says what went wrong, where it knows", async () => {
    answers = [json(500, {})];
    await start();
    assert.ok(states.at(-1)[1].error instanceof TokenError);
    await pass(250);
    FakeSocket.last.drop();
    assert.match(states.at(-1)[1].error.message, /refused/);
  });

  test("coming online tries at once", async () => {
    await opened();
    FakeSocket.last.drop();
    listeners.online();
    await settle();
    assert.equal(FakeSocket.all.length, 2);
    await pass(5_000);
    assert.equal(FakeSocket.all.length, 2);
  });

  for (const [what, answer] of [
    ["401", json(401, {})],
    ["403", json(403, {})],
    ["a redirect to the login page", json(200, {}, { response: { redirected: true } })],
  ]) {
    test(`${what} from the token endpoint ends in signed-out, with no further tries`, async () => {
      answers = [answer];
      await start();
      await pass(3_600_000);
      assert.deepEqual(stateNames(), ["connecting", "signed-out"]);
      assert.equal(asked.length, 1);
      assert.deepEqual(listeners, {});
    });
  }

  test("open() starts again after signed-out, and what waited is sent", async () => {
    answers = [json(403, {})];
    const client = await start();
    const sending = client.send({ action: "chat_message" }, { id: "m1" });
    client.open();
    await settle();
    FakeSocket.last.accept();
    assert.equal(FakeSocket.last.actions("chat_message").length, 1);
    FakeSocket.last.receive({ ack: "m1" });
    await sending;
  });

  test("close() ends everything, also an attempt under way", async () => {
    const client = await start();
    client.close();
    FakeSocket.last.accept();
    await pass(3_600_000);
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(FakeSocket.last.closedWith, 1000);
    assert.equal(client.state, "closed");
    await assert.rejects(client.send({}), { code: "closed" });
  });

  test("after close() nothing more is delivered", async () => {
    const client = await opened();
    client.close();
    FakeSocket.last.receive({ type: "presence" });
    FakeSocket.last.receive({ type: "history", messages: [said(1)] });
    assert.deepEqual([messages, caughtUp], [[], 0]);
  });
});

describe("staying connected", () => {
  test("renews before two hours, the new connection first, and misses nothing in between", async () => {
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
    answers = [json(500, {})];
    await pass(DEFAULTS.renewAfter + DEFAULTS.renewSpread / 2);
    assert.equal(FakeSocket.all.length, 1);
    await pass(250);
    assert.equal(FakeSocket.all.length, 2);
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

  test("without history messages pass as they come", async () => {
    await opened({ history: null });
    for (const sequence of [9, 4]) FakeSocket.last.receive(said(sequence));
    FakeSocket.last.receive({ type: "history", own: true });
    assert.deepEqual(sequences(), [9, 4, undefined]);
    assert.deepEqual(FakeSocket.last.sent, []);
  });
});

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

  test("one that is refused or never confirmed does not hold up the next", async () => {
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

describe("the token", () => {
  const page = (cookie, found = {}) => ({ cookie, querySelector: (selector) => found[selector] ?? null });

  test("CSRF comes from the cookie, a meta element or a form", () => {
    assert.equal(csrfToken(page("a=b; csrftoken=x%3Dy; c=d")), "x=y");
    assert.equal(csrfToken(page("", { 'meta[name="csrf-token"]': { content: "m" } })), "m");
    assert.equal(csrfToken(page("", { 'input[name="csrfmiddlewaretoken"]': { value: "f" } })), "f");
    assert.equal(csrfToken(page("xcsrftoken=no")), "");
  });

  test("errors say whether trying again makes sense", async () => {
    answers = [json(403, {}), json(503, {}), json(200, { nothing: 1 })];
    await assert.rejects(fetchToken("/t"), SignedOutError);
    await assert.rejects(fetchToken("/t"), TokenError);
    await assert.rejects(fetchToken("/t"), TokenError);
  });
});
