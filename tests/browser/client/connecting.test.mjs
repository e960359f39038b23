// Tokens, opening and reconnecting. Run by `node --test`; see harness.mjs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { csrfToken, fetchToken, SignedOutError, TokenError } from "../../../ws_lambda/static/ws_lambda/token.js";
import {
  FakeSocket,
  answers,
  asked,
  caughtUp,
  json,
  listeners,
  messages,
  opened,
  pass,
  said,
  settle,
  start,
  stateNames,
  states,
} from "./harness.mjs";

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
    for (let failure = 0; failure < 8; failure += 1) answers.push(new TypeError("Failed to fetch"));
    await start();
    const waits = [];
    while (answers.length) {
      waits.push(states.at(-1)[1].retryIn);
      await pass(waits.at(-1));
    }
    waits.push(states.at(-1)[1].retryIn);
    assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000]);
    await pass(15_000);
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "hello" });
    FakeSocket.last.drop();
    assert.equal(states.at(-1)[1].retryIn, 250);
  });

  test("tries ever more seldom where it is refused, each time with a fresh token", async () => {
    await start();
    const waits = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      FakeSocket.last.drop();
      waits.push(states.at(-1)[1].retryIn);
      await pass(waits.at(-1));
    }
    assert.deepEqual(waits.slice(5), [8000, 16_000, 32_000, 64_000, 128_000, 150_000, 150_000]);
    assert.equal(new Set(FakeSocket.all.map(({ protocols }) => protocols[1])).size, 13);
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
    answers.push(json(429, {}, { headers: { "Retry-After": "7" } }));
    await start();
    assert.equal(states.at(-1)[1].retryIn, 7250);
    await pass(7250);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("a failing network is tried again", async () => {
    answers.push(new TypeError("Failed to fetch"));
    await start();
    assert.equal(states.at(-1)[0], "waiting");
    await pass(250);
    assert.equal(FakeSocket.all.length, 1);
  });

  test("says what went wrong, where it knows", async () => {
    answers.push(json(500, {}));
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
      answers.push(answer);
      await start();
      await pass(3_600_000);
      assert.deepEqual(stateNames(), ["connecting", "signed-out"]);
      assert.equal(asked.length, 1);
      assert.deepEqual(listeners, {});
    });
  }

  test("open() starts again after signed-out, and what waited is sent", async () => {
    answers.push(json(403, {}));
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

describe("the token", () => {
  const page = (cookie, found = {}) => ({ cookie, querySelector: (selector) => found[selector] ?? null });

  test("CSRF comes from the cookie, a meta element or a form", () => {
    assert.equal(csrfToken(page("a=b; csrftoken=x%3Dy; c=d")), "x=y");
    assert.equal(csrfToken(page("", { 'meta[name="csrf-token"]': { content: "m" } })), "m");
    assert.equal(csrfToken(page("", { 'input[name="csrfmiddlewaretoken"]': { value: "f" } })), "f");
    assert.equal(csrfToken(page("xcsrftoken=no")), "");
  });

  test("errors say whether trying again makes sense", async () => {
    answers.push(json(403, {}), json(503, {}), json(200, { nothing: 1 }));
    await assert.rejects(fetchToken("/t"), SignedOutError);
    await assert.rejects(fetchToken("/t"), TokenError);
    await assert.rejects(fetchToken("/t"), TokenError);
  });
});
