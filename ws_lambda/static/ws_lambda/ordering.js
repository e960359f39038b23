/**
 * Delivers the messages of one channel in order, each once.
 *
 * API Gateway promises no order between messages, a send can fail, and messages are missed during a reconnect.
 * Each message has a `sequence` that grows by one, so a gap is visible. Missing messages are requested, and later
 * ones are held until they arrive. Messages without a `sequence` are delivered at once.
 */

const GAP_WAIT_MS = 400;
const ANSWER_WAIT_MS = 10_000;
const TRIES = 3;

export class Ordering {
  /** The sequence that was delivered last; null before the first. */
  last;
  #held = new Map();
  #syncing = false;
  #tries = 0;
  #timer = null;
  #ids;
  #deliver;
  #ask;
  #onCaughtUp;
  #onGap;

  /**
   * @param {object} options
   * @param {(message: object) => void} options.deliver called in order, once for each message
   * @param {(after: number|null) => void} options.ask requests the messages after a sequence
   * @param {() => void} [options.onCaughtUp] the messages that were missed have been delivered
   * @param {() => void} [options.onGap] a missed message is no longer on the server
   * @param {number|null} [options.after] the last sequence that the page already has
   */
  constructor({ deliver, ask, onCaughtUp = () => {}, onGap = () => {}, after = null, remember = 500 }) {
    this.last = after;
    this.#deliver = deliver;
    this.#ask = ask;
    this.#onCaughtUp = onCaughtUp;
    this.#onGap = onGap;
    this.#ids = new RecentIds(remember);
  }

  /** A connection has opened: requests what was missed, and holds what arrives until the answer. */
  resume() {
    this.#tries = 0;
    this.#request();
  }

  /** The connection is gone: no request will be answered. */
  pause() {
    this.#quiet();
    this.#syncing = false;
  }

  /** Takes a message when it arrives. */
  accept(message) {
    const { sequence } = message;
    if (!Number.isInteger(sequence)) return this.#deliver(message);
    if (this.last !== null && sequence <= this.last) return;
    this.#held.set(sequence, message);
    if (this.#syncing) return;
    if (this.last === null) return this.#request(); // the very first message: asks whether there was one before it
    this.#drain();
    if (!this.#held.size) this.#quiet();
    else if (!this.#timer) this.#later(() => this.#request(), GAP_WAIT_MS); // not put off by each new message
  }

  /** Takes the answer to `ask`: `{messages, recovered, more}`. */
  history({ messages = [], recovered = true, more = false }) {
    this.#quiet();
    const before = this.last;
    if (!recovered) this.#restart(messages);
    for (const message of messages) this.#take(message);
    if (this.last !== before) this.#tries = 0;
    if (more) return this.#request();
    this.#syncing = false;
    this.#drain();
    this.#onCaughtUp();
    if (!this.#held.size) this.#tries = 0;
    else if (this.#tries < TRIES) this.#later(() => this.#request(), GAP_WAIT_MS);
    else this.#giveUp();
  }

  #request() {
    this.#quiet();
    if (this.#tries >= TRIES) return this.#giveUp();
    this.#tries += 1;
    this.#syncing = true;
    this.#ask(this.last);
    this.#later(() => this.#request(), ANSWER_WAIT_MS);
  }

  /** The server no longer has the message after `last`, or its numbering began again: takes what it has. */
  #restart(messages) {
    const known = this.last;
    this.last = null;
    if (messages.length && known !== null && messages[0].sequence > known) this.last = known;
    if (known !== null) this.#onGap();
  }

  /** Three requests changed nothing: delivers what is there, and reports that something is missing. */
  #giveUp() {
    this.#syncing = false;
    this.#tries = 0;
    if (this.#held.size && this.last !== null) this.#onGap();
    for (const sequence of [...this.#held.keys()].sort((a, b) => a - b)) this.#take(this.#held.get(sequence));
    this.#onCaughtUp();
  }

  #drain() {
    if (this.last === null && this.#held.size) this.last = Math.min(...this.#held.keys()) - 1;
    while (this.#held.has(this.last + 1)) this.#take(this.#held.get(this.last + 1));
  }

  #take(message) {
    this.#held.delete(message.sequence);
    if (this.last !== null && message.sequence <= this.last) return;
    this.last = message.sequence;
    // The sender tries again when no confirmation comes, so one message can be stored under two sequences.
    if (message.id && !this.#ids.add(`${message.sender} ${message.id}`)) return;
    this.#deliver(message);
  }

  #later(action, ms) {
    this.#quiet();
    this.#timer = setTimeout(action, ms);
  }

  #quiet() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The ids that were seen last. The oldest ones are forgotten. */
class RecentIds {
  #seen = new Set();
  #limit;

  constructor(limit) {
    this.#limit = limit;
  }

  /** @returns {boolean} whether the id is new */
  add(id) {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > this.#limit) this.#seen.delete(this.#seen.values().next().value);
    return true;
  }
}
