/**
 * Messages to send. They are kept until they are confirmed, and sent again after a reconnect.
 *
 * Only one message is in flight at a time. API Gateway invokes the function for each message separately, so two
 * messages that are sent together run at the same time, and the second may be stored first.
 */

const CONFIRM_WAIT_MS = 35_000; // an integration may take 29 s

/**
 * A message was not confirmed. `code`: "refused" by the server, "failed" there, "unconfirmed" in time, "too-large",
 * "full" or "closed".
 */
export class SendError extends Error {
  name = "SendError";
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Outbox {
  #waiting = new Map();
  #limit;
  #transmit;
  #underWay = null;
  #timer = null;

  /** @param {(data: object) => boolean} transmit sends at once if it can, and returns whether it did */
  constructor(transmit, limit = 100) {
    this.#transmit = transmit;
    this.#limit = limit;
  }

  /** The id of the message whose confirmation is due, or null. */
  get awaits() {
    return this.#underWay;
  }

  /** @returns {Promise<object>} the confirmation; rejects with a SendError */
  add(id, data) {
    if (this.#waiting.size >= this.#limit) {
      return Promise.reject(new SendError("full", `${this.#limit} messages are waiting already.`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { data: { ...data, id }, resolve, reject });
      if (!this.#underWay) this.#next();
    });
  }

  /** A connection has opened: sends the first unconfirmed message again. */
  resume() {
    this.pause();
    this.#next();
  }

  /** The connection is gone: no confirmation comes before the next one is open. */
  pause() {
    clearTimeout(this.#timer);
    this.#underWay = null;
  }

  /** Handles a frame from the server. @returns {boolean} whether it was only a confirmation */
  confirm(frame) {
    if (frame.nack !== undefined) {
      this.#settle(frame.nack)?.reject(new SendError("refused", frame.error ?? "Refused."));
      return true;
    }
    // A message that comes back through its channel is stored, which is as good as a confirmation.
    this.#settle(frame.ack ?? frame.id)?.resolve(frame);
    return frame.ack !== undefined;
  }

  /**
   * Looks for a failure on the server. An error frame does not name its message. The message in flight is the most
   * likely one. If it was stored anyway, it comes back through its channel.
   */
  fail(frame) {
    const failure = failureIn(frame);
    if (failure && this.#underWay) this.#settle(this.#underWay).reject(failure);
  }

  /** Nothing more will be sent. */
  close() {
    this.pause();
    for (const { reject } of this.#waiting.values()) reject(new SendError("closed", "The connection was closed."));
    this.#waiting.clear();
  }

  #next() {
    const [id, item] = this.#waiting.entries().next().value ?? [];
    if (!item || !this.#transmit(item.data)) return;
    this.#underWay = id;
    this.#timer = setTimeout(() => {
      this.#settle(id)?.reject(new SendError("unconfirmed", "No confirmation came in time."));
    }, CONFIRM_WAIT_MS);
  }

  #settle(id) {
    const item = this.#waiting.get(id);
    if (!item) return null;
    this.#waiting.delete(id);
    if (id === this.#underWay) {
      this.pause();
      this.#next();
    }
    return item;
  }
}

/**
 * What an error frame means: a refusal of the view has a `status`, an error of API Gateway has none. Trying
 * again may help only after errors, and after too many messages (429).
 */
function failureIn({ message, status, connectionId, requestId }) {
  if (typeof message !== "string" || !connectionId || !requestId) return null;
  return new SendError(status && status !== 429 ? "refused" : "failed", message);
}

/** `randomUUID` is missing on pages served over plain HTTP from another machine. */
export function newId() {
  return globalThis.crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");
}
