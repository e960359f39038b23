/**
 * The browser client of django-ws-lambda: a WebSocket connection that is kept open and renewed.
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

/** API Gateway closes a connection that sends a bigger frame, and browsers send each message as one frame. */
const MAX_FRAME_BYTES = 32 * 1024;

/** API Gateway closes a connection after this time without a message. None survives a longer sleep. */
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
 * States: "connecting", "open", "waiting" (detail.retryIn in ms; detail.error, if known), "offline" (the browser
 * reports no network; the same details once the connection is gone), "signed-out" (the user has to log in again),
 * "closed".
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

  /** Connects, also again after "signed-out" or `close`. */
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
   * Messages keep their order: each is sent when the one before it is confirmed. To retry a failed message without a
   * duplicate, pass the same `id`.
   * @returns {Promise<object>} the confirmation; rejects with a SendError
   */
  send(data, { id = newId() } = {}) {
    if (this.state === "closed") return Promise.reject(new SendError("closed", "The client is closed."));
    const tooLarge = sizeError({ ...data, id });
    return tooLarge ? Promise.reject(tooLarge) : this.#outbox.add(id, data);
  }

  /**
   * Sends at once or not at all, without a confirmation.
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

  /** Requests a token for a connection that may soon be needed. HTTP connections may be dead as well. */
  #prepare(link) {
    if (link !== this.#link || this.#opening) return;
    this.#spare = fetchToken(this.#options.tokenUrl, { ...this.#options, insist: true });
    this.#spare.catch(() => {}); // the code that needs a token requests a new one
  }

  #grant() {
    const fresh = () => fetchToken(this.#options.tokenUrl, this.#options);
    const spare = this.#spare;
    this.#spare = null;
    return spare ? spare.catch(fresh) : fresh();
  }

  /** Opens the new connection before it closes the old one, so that no message is missed. */
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
      this.#again(new Error("The connection was refused, or the gateway cannot be reached."), "backoffRefused");
    }
  }

  /** A connection that receives something works. Counts once, so that attempts to replace it are still counted. */
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

  /** The connection may survive. The state is shown anyway, because new messages may not arrive. */
  #offline() {
    this.#isOffline = true;
    this.#set("offline");
    this.#link?.probe();
  }

  /** The network is back, or has changed. The old connection may still work, so it is kept until a new one is open. */
  #online() {
    const wasOffline = this.#isOffline;
    this.#isOffline = false;
    if (this.#link && !wasOffline) return this.#link.probe();
    this.#set("connecting");
    this.#retry.now();
  }

  /** The page is visible again, has slept, or is on another network: checks whether the connection still works. */
  #wake(slept) {
    if (!this.#link) {
      if (slept || !this.#opening) this.#retry.now();
    } else if (slept < IDLE_LIMIT) this.#link.probe();
    else this.#link.drop();
  }

  #set(state, detail = {}) {
    const isOffline = this.#hasNoNetwork(state);
    if (isOffline && state === "connecting" && this.state === "offline") return; // attempts while offline are not shown
    this.state = isOffline ? "offline" : state;
    this.#options.onState(this.state, detail);
  }

  /** Before the first connection, asks the browser: its event may have come before the client existed. */
  #hasNoNetwork(state) {
    if (!["connecting", "waiting"].includes(state)) return false;
    const says = globalThis.navigator?.onLine;
    return this.#isOffline ? says !== true : !this.#link && says === false;
  }
}

/** Calls a function of the page. Its error goes to the console, and the client goes on. */
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
