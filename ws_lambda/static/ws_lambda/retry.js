/** When to connect again: after growing pauses if connecting fails, and at once if something has changed. */

/** The shortest time between immediate attempts. Otherwise a flickering network would use up the tokens. */
const CALM_MS = 5_000;

export class Retry {
  #connect;
  #options;
  #failures = 0;
  #timer = null;
  #calm = null;
  #wanted = false;

  /**
   * @param {() => void} connect
   * @param {object} options those of the client
   */
  constructor(connect, options) {
    this.#connect = connect;
    this.#options = options;
  }

  /** The connection works, so the pauses begin again with the shortest. */
  proven() {
    this.#failures = 0;
  }

  /**
   * Connects after a random time, so that many clients do not reconnect at the same time.
   * @param {Error} [error] `retryAfter`: how many ms the server has asked for
   * @param {"backoffMax"|"backoffRefused"} [limit]
   * @returns {number} in how many ms
   */
  later(error, limit = "backoffMax") {
    const asked = error?.retryAfter ?? 0;
    const ceiling = Math.min(this.#options[limit], this.#options.backoffBase * 2 ** this.#failures);
    const wait = asked + Math.random() * ceiling;
    this.#failures += 1;
    if (asked) this.#calmFor(asked);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#connect, wait);
    return wait;
  }

  /** Connects now instead of later. It waits a little if it did so a moment ago, or if the server asked for a pause. */
  now() {
    this.#wanted = this.#calm !== null;
    if (this.#wanted) return;
    this.#calmFor(CALM_MS);
    this.#connect();
  }

  /** Cancels the planned attempt, because one has begun or none is wanted. */
  cancel() {
    clearTimeout(this.#timer);
    this.#wanted = false;
  }

  /** Forgets all attempts. */
  reset() {
    this.cancel();
    clearTimeout(this.#calm);
    this.#calm = null;
    this.#failures = 0;
  }

  #calmFor(ms) {
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => {
      this.#calm = null;
      if (this.#wanted) this.now();
    }, ms);
  }
}
