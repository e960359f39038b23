/**
 * Messages of one channel, in order, each once.
 *
 * API Gateway promises no order between messages, a send can fail, and a reconnect misses what was said in
 * between. Each message has a `sequence` that grows by one, so a hole shows; what is missing is asked for, and
 * what came early is held until then. Messages without a `sequence` pass straight through.
 */

const GAP_WAIT_MS = 400;
const ANSWER_WAIT_MS = 10_000;
const TRIES = 3;

export class Ordering {
  /** The sequence last delivered, or null before the first. */
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
   * @param {(after: number|null) => void} options.ask sends a request for what came after a sequence
   * @param {() => void} [options.onCaughtUp] what was missed before a connection opened has been delivered
   * @param {() => void} [options.onGap] something was missed that cannot be had any more
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

  /** A connection has opened: ask for what was missed, and hold what arrives until the answer. */
  resume() {
    this.#tries = 0;
    this.#request();
  }

  /** The connection is gone: nothing that was asked will be answered. */
  pause() {
    this.#quiet();
    this.#syncing = false;
  }

  /** One message, as it arrived. */
  accept(message) {
    const { sequence } = message;
    if (!Number.isInteger(sequence)) return this.#deliver(message);
    if (this.last !== null && sequence <= this.last) return;
    this.#held.set(sequence, message);
    if (this.#syncing) return;
    if (this.last === null) return this.#request(); // the first ever: was there one before it?
    this.#drain();
    if (!this.#held.size) this.#quiet();
    else if (!this.#timer) this.#later(() => this.#request(), GAP_WAIT_MS); // not put off by each new message
  }

  /** The answer to `ask`: `{messages, recovered, more}`. */
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

  /** The server no longer has what followed `last`, or counts anew: take what it has. */
  #restart(messages) {
    const known = this.last;
    this.last = null;
    if (messages.length && known !== null && messages[0].sequence > known) this.last = known;
    if (known !== null) this.#onGap();
  }

  /** Three requests changed nothing: deliver what is there, and say that something is missing. */
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

/** The last few ids seen, oldest forgotten first. */
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
