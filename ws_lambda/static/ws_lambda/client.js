/**
 * A WebSocket connection that lasts: the browser's side of django-ws-lambda.
 *
 *     const client = connect({ tokenUrl: "/api/ws-token/", channel: "general", onMessage: console.log });
 *     await client.send({ action: "chat_message", message: "Hello" });
 *
 * See docs/client.md.
 */

import { Ordering } from "./ordering.js";
import { newId, Outbox, SendError } from "./outbox.js";
import { Link } from "./link.js";
import { KnownApi } from "./liveness.js";
import { Retry } from "./retry.js";
import { watchSurroundings } from "./surroundings.js";
import { csrfToken, fetchToken, SignedOutError, TokenError } from "./token.js";

export { csrfToken, Ordering, Outbox, SendError, SignedOutError, TokenError };

const MINUTE = 60_000;

/** API Gateway closes the connection over a bigger frame, and a browser sends a message as one frame. */
const MAX_FRAME_BYTES = 32 * 1024;

/** API Gateway ends a connection that is silent for so long, and a machine that sleeps is silent. */
const IDLE_LIMIT = 10 * MINUTE;

/** API Gateway closes a connection after 2 h, and an idle one after 10 min. Neither can be changed. */
export const DEFAULTS = {
  channel: "",
  protocol: "ws-lambda",
  tokenTransport: "protocol", // or "query"
  history: "history", // the action that answers with missed messages; null: none
  after: null,
  ping: "ping",
  pingEvery: 4.5 * MINUTE,
  renewAfter: 100 * MINUTE,
  renewSpread: 15 * MINUTE,
  backoffBase: 500,
  backoffMax: 30_000,
  backoffRefused: 5 * MINUTE, // refusals count against the address, which a whole office may share
  queueLimit: 100,
  onMessage: () => {},
  onState: () => {},
  onCaughtUp: () => {},
  onGap: () => {},
};

/** Opens a connection and keeps it. @returns {WebSocketClient} */
export function connect(options) {
  const client = new WebSocketClient(options);
  client.open();
  return client;
}

/**
 * States: "connecting", "open", "waiting" (detail.retryIn, ms; detail.error, where one is known), "offline" (the
 * browser says that there is no network; detail as before, where there is no connection any more), "signed-out" (log in
 * again), "closed".
 */
export class WebSocketClient {
  state = "closed";
  #options;
  #link = null;
  #opening = null;
  #spare = null;
  #proven = null;
  #retry;
  #isOffline = false;
  #api = new KnownApi();
  #outbox;
  #ordering;
  #stopListening = null;

  constructor(options) {
    this.#options = { ...DEFAULTS, ...options };
    for (const name of ["onMessage", "onState", "onCaughtUp", "onGap"]) this.#options[name] = guarded(this.#options[name]);
    const { onMessage, onCaughtUp, onGap, history, after, queueLimit } = this.#options;
    this.#retry = new Retry(() => this.#connect(), this.#options);
    this.#outbox = new Outbox((data) => this.post(data), queueLimit);
    this.#ordering = new Ordering({
      deliver: onMessage,
      ask: (from) => this.post({ action: history, after: from }),
      onCaughtUp,
      onGap,
      after,
    });
  }

  /** The sequence of the last message delivered, or null. */
  get lastSequence() {
    return this.#ordering.last;
  }

  /** Starts, or starts again after "signed-out" or `close`. */
  open() {
    if (this.#stopListening) return;
    this.#stopListening = watchSurroundings({
      onOffline: () => this.#offline(),
      onOnline: () => this.#online(),
      onWake: (slept) => this.#wake(slept),
    });
    this.#connect();
  }

  /**
   * Sends a message and waits until the server has confirmed it, across reconnects.
   * Messages keep their order: each goes when the one before it is confirmed. Give the `id` of a failed one to try it again without doubling it.
   * @returns {Promise<object>} the confirmation; rejects with a SendError
   */
  send(data, { id = newId() } = {}) {
    if (this.state === "closed") return Promise.reject(new SendError("closed", "The client is closed."));
    const tooLarge = sizeError({ ...data, id });
    return tooLarge ? Promise.reject(tooLarge) : this.#outbox.add(id, data);
  }

  /**
   * Sends now or never, unconfirmed.
   * @returns {boolean} whether there was a connection
   * @throws {SendError} it is too large, and would end the connection
   */
  post(data) {
    const tooLarge = sizeError(data);
    if (tooLarge) throw tooLarge;
    return this.#link?.send(data) ?? false;
  }

  /** Ends the connection for good. */
  close() {
    this.#stop("closed");
    this.#outbox.close();
  }

  async #connect() {
    this.#opening?.link?.close();
    const attempt = (this.#opening = {});
    this.#retry.cancel();
    if (!this.#link) this.#set("connecting");
    try {
      const grant = await this.#grant();
      if (this.#opening !== attempt) return;
      const link = new Link(grant, this.#options, this.#api, {
        onOpen: () => this.#opened(link),
        onLife: () => this.#heard(link),
        onFrame: (frame) => this.#frame(frame),
        onDoubt: () => this.#prepare(link),
        onLost: () => this.#lost(link, attempt),
        onAged: () => link === this.#link && this.#connect(),
        awaits: () => this.#outbox.awaits,
      });
      attempt.link = link;
    } catch (error) {
      if (this.#opening !== attempt) return;
      if (error instanceof SignedOutError) this.#stop("signed-out");
      else this.#again(error);
    }
  }

  /** A token for the line that may soon be needed: where sockets have died, HTTP connections may have too. */
  #prepare(link) {
    if (link !== this.#link || this.#opening) return;
    this.#spare = fetchToken(this.#options.tokenUrl, { ...this.#options, insist: true });
    this.#spare.catch(() => {}); // whoever needs it asks anew
  }

  #grant() {
    const fresh = () => fetchToken(this.#options.tokenUrl, this.#options);
    const spare = this.#spare;
    this.#spare = null;
    return spare ? spare.catch(fresh) : fresh();
  }

  /** The new connection is up before the old one goes, so that renewing one misses nothing. */
  #opened(link) {
    const old = this.#link;
    this.#link = link;
    this.#opening = null;
    this.#retry.cancel();
    this.#isOffline = false;
    old?.close();
    this.#set("open");
    if (this.#options.history) this.#ordering.resume();
    this.#outbox.resume();
  }

  #lost(link, attempt) {
    if (link === this.#link) {
      this.#link = null;
      this.#ordering.pause();
      this.#outbox.pause();
      if (this.#opening) this.#set("connecting");
      else this.#again();
    } else if (this.#opening === attempt) {
      this.#again(new Error("The connection was refused, or there is no way to the gateway."), "backoffRefused");
    }
  }

  /** A connection that speaks is a good one. Once only: attempts to replace it go on counting while it speaks. */
  #heard(link) {
    if (link !== this.#proven) this.#retry.proven();
    this.#proven = link;
    this.#spare = null;
    const isBack = this.state === "connecting" || (this.state === "offline" && globalThis.navigator?.onLine);
    if (link === this.#link && isBack) this.#set("open");
  }

  #frame(frame) {
    const { history, onMessage } = this.#options;
    if (history && frame.type === "history") return this.#ordering.history(frame);
    if (this.#outbox.confirm(frame)) return;
    this.#outbox.fail(frame);
    if (history) this.#ordering.accept(frame);
    else onMessage(frame);
  }

  #again(error, limit) {
    this.#opening = null;
    const retryIn = this.#retry.later(error, limit);
    if (!this.#link) this.#set("waiting", { retryIn, error });
  }

  #stop(state) {
    this.#retry.reset();
    this.#isOffline = false;
    this.#opening?.link?.close();
    this.#opening = null;
    this.#link?.close();
    this.#link = null;
    this.#ordering.pause();
    this.#outbox.pause();
    this.#stopListening?.();
    this.#stopListening = null;
    this.#set(state);
  }

  /** The line may outlive it. Shown all the same: what is written now has an uncertain way to go. */
  #offline() {
    this.#isOffline = true;
    this.#set("offline");
    this.#link?.probe();
  }

  /** The network is back, or another one is there. The old line is kept until a new one is up: it may be good. */
  #online() {
    const wasOffline = this.#isOffline;
    this.#isOffline = false;
    if (this.#link && !wasOffline) return this.#link.probe();
    this.#set("connecting");
    this.#retry.now();
  }

  /** Back from another tab, from sleep, or on another network: see whether the connection is still there. */
  #wake(slept) {
    if (!this.#link) {
      if (slept || !this.#opening) this.#retry.now();
    } else if (slept < IDLE_LIMIT) this.#link.probe();
    else this.#link.drop();
  }

  #set(state, detail = {}) {
    const isOffline = this.#hasNoNetwork(state);
    if (isOffline && state === "connecting" && this.state === "offline") return; // what is tried meanwhile is no news
    this.state = isOffline ? "offline" : state;
    this.#options.onState(this.state, detail);
  }

  /** Before there is a connection the browser's word has to do: its event may have come before the client. */
  #hasNoNetwork(state) {
    if (!["connecting", "waiting"].includes(state)) return false;
    const says = globalThis.navigator?.onLine;
    return this.#isOffline ? says !== true : !this.#link && says === false;
  }
}

/** The page's own function: its error goes to the console, as an event listener's does, and stops nothing here. */
function guarded(callback) {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      globalThis.reportError(error);
    }
  };
}

function sizeError(data) {
  if (new TextEncoder().encode(JSON.stringify(data)).length <= MAX_FRAME_BYTES) return null;
  return new SendError("too-large", "API Gateway takes 32 KB in one frame.");
}
