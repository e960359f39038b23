/**
 * A WebSocket connection that lasts: the browser's side of django-ws-lambda.
 *
 *     import { connect } from "/static/ws_lambda/client.js";
 *     const client = connect({ tokenUrl: "/api/ws-token/", channel: "general", onMessage: console.log });
 *     await client.send({ action: "chat_message", message: "Hello" });
 *
 * See docs/client.md.
 */

import { Ordering } from "./ordering.js";
import { Outbox, SendError } from "./outbox.js";
import { Link } from "./link.js";
import { csrfToken, fetchToken, SignedOutError, TokenError } from "./token.js";

export { csrfToken, Ordering, Outbox, SendError, SignedOutError, TokenError };

const MINUTE = 60_000;

/** API Gateway closes the connection over a bigger frame, and a browser sends a message as one frame. */
const MAX_FRAME_BYTES = 32 * 1024;

/** The server knows nothing of this connection, though its socket is open: only a new one helps. */
const SESSION_LOST = "Invalid connection ID";

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
 * States: "connecting", "open", "waiting" (detail.retryIn, ms; detail.error, where one is known), "offline" (waiting,
 * and the browser says that there is no network), "signed-out" (log in again), "closed".
 */
export class WebSocketClient {
  state = "closed";
  #options;
  #link = null;
  #opening = null;
  #failures = 0;
  #proven = null;
  #retry = null;
  #outbox;
  #ordering;
  #stopListening = null;

  constructor(options) {
    this.#options = { ...DEFAULTS, ...options };
    for (const name of ["onMessage", "onState", "onCaughtUp", "onGap"]) this.#options[name] = guarded(this.#options[name]);
    const { onMessage, onCaughtUp, onGap, history, after, queueLimit } = this.#options;
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
    this.#stopListening = this.#listen();
    this.#failures = 0;
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
    const attempt = (this.#opening = {});
    clearTimeout(this.#retry);
    if (!this.#link) this.#set("connecting");
    try {
      const grant = await fetchToken(this.#options.tokenUrl, this.#options);
      if (this.#opening !== attempt) return;
      const link = new Link(grant, this.#options, {
        onOpen: () => (this.#opening === attempt ? this.#opened(link) : link.close()),
        onFrame: (frame) => this.#frame(frame, link),
        onLost: () => this.#lost(link, attempt),
        onAged: () => link === this.#link && this.#connect(),
      });
      attempt.link = link;
    } catch (error) {
      if (this.#opening !== attempt) return;
      if (error instanceof SignedOutError) this.#stop("signed-out");
      else this.#again(error);
    }
  }

  /** The new connection is up before the old one goes, so that renewing one misses nothing. */
  #opened(link) {
    const old = this.#link;
    this.#link = link;
    this.#opening = null;
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

  #frame(frame, link) {
    if (!this.#stopListening) return; // stopped: what was still under way comes too late
    // A connection that speaks is a good one. Once only: attempts to replace it go on counting while it speaks.
    if (link !== this.#proven) [this.#proven, this.#failures] = [link, 0];
    if (frame.type === "pong") return;
    if (frame.message === SESSION_LOST && frame.status) return link.drop();
    const { history, onMessage } = this.#options;
    if (history && frame.type === "history") return this.#ordering.history(frame);
    if (this.#outbox.confirm(frame)) return;
    const failure = failureIn(frame);
    if (failure) this.#outbox.fail(failure);
    if (history) this.#ordering.accept(frame);
    else onMessage(frame);
  }

  /** Tries again later: after a random time, so that a crowd does not come back all at once. */
  #again(error, limit = "backoffMax") {
    this.#opening = null;
    clearTimeout(this.#retry);
    const ceiling = Math.min(this.#options[limit], this.#options.backoffBase * 2 ** this.#failures);
    const retryIn = (error?.retryAfter ?? 0) + Math.random() * ceiling;
    this.#failures += 1;
    if (!this.#link) this.#set(globalThis.navigator?.onLine === false ? "offline" : "waiting", { retryIn, error });
    this.#retry = setTimeout(() => this.#connect(), retryIn);
  }

  #stop(state) {
    clearTimeout(this.#retry);
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

  /** Back from another tab, from sleep or from a tunnel: see whether the connection is still there. */
  #wake() {
    if (this.#link) this.#link.probe();
    else if (!this.#opening) this.#connect();
  }

  #listen() {
    const page = globalThis.document;
    const wake = () => this.#wake();
    const seen = () => page.visibilityState === "visible" && this.#wake();
    globalThis.addEventListener?.("online", wake);
    globalThis.addEventListener?.("pageshow", wake);
    page?.addEventListener("visibilitychange", seen);
    return () => {
      globalThis.removeEventListener?.("online", wake);
      globalThis.removeEventListener?.("pageshow", wake);
      page?.removeEventListener("visibilitychange", seen);
    };
  }

  #set(state, detail = {}) {
    this.state = state;
    this.#options.onState(state, detail);
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

/**
 * What an error frame means: a refusal of the view has a `status`, an error of API Gateway has none. Only too many
 * messages (429), and errors, may pass.
 */
function failureIn({ message, status, connectionId, requestId }) {
  if (typeof message !== "string" || !connectionId || !requestId) return null;
  return new SendError(status && status !== 429 ? "refused" : "failed", message);
}

/** `randomUUID` is missing on pages served over plain HTTP from another machine. */
function newId() {
  return globalThis.crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
}
