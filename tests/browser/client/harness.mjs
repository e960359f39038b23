// What the tests of the browser client share: a made-up server, and virtual time. Importing it sets both up.

import { afterEach, beforeEach, mock } from "node:test";

import { connect } from "../../../ws_lambda/static/ws_lambda/client.js";

export class FakeSocket {
  static all = [];
  /** Whether the server answers pings by itself. */
  static pongs = false;
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
    if (FakeSocket.pongs && this.sent.at(-1).action === "ping") this.receive({ type: "pong" });
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

export let caughtUp = 0;
export let answers, asked, clients, states, messages, gaps, listeners, reported;

export const json = (status, body, extra = {}) => ({
  ok: status < 400,
  status,
  redirected: false,
  headers: new Headers(extra.headers),
  json: async () => body,
  ...extra.response,
});

/** Lets promises settle; none of them depends on a timer. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** Time goes by, in steps, so that a timer set on the way is a timer from then on. */
export async function pass(ms) {
  const step = ms > 1_800_000 ? 5_000 : ms >= 60_000 ? 1_000 : 250;
  for (let left = ms; left > 0; left -= step) {
    mock.timers.tick(Math.min(left, step));
    await settle();
  }
}

/** The clock goes on, and no timer runs: so it is for a machine that sleeps, and for a page that is frozen. */
export function sleep(ms) {
  mock.timers.setTime(Date.now() + ms);
}

export async function start(options = {}) {
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

export async function opened(options = {}) {
  const client = await start(options);
  FakeSocket.last.accept();
  return client;
}

export const said = (sequence, id = `id-${sequence}`) => ({ type: "message", sequence, id, sender: "red" });
export const sequences = () => messages.map(({ sequence }) => sequence);
export const stateNames = () => states.map(([name]) => name);

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => 0.5);
  [answers, asked, clients, states, messages, gaps, reported, FakeSocket.all] = [[], [], [], [], [], [], [], []];
  listeners = {};
  caughtUp = 0;
  FakeSocket.pongs = false;
  let minted = 0;
  globalThis.WebSocket = FakeSocket;
  globalThis.reportError = (error) => reported.push(error);
  globalThis.addEventListener = (name, action) => (listeners[name] = action);
  globalThis.removeEventListener = (name) => delete listeners[name];
  globalThis.fetch = async (url, init) => {
    asked.push([url, init]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    if (answer instanceof Promise) return answer;
    return answer ?? json(200, { token: `t${(minted += 1)}`, expires_in: 60, url: "wss://ws.example.com/dev" });
  };
});

afterEach(() => {
  for (const client of clients) if (client.state !== "closed") client.close();
  mock.timers.reset();
  mock.restoreAll();
});
