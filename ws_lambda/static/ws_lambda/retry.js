/** When to connect again: later and later where that fails, and at once where something has changed. */

/** From one attempt out of turn to the next: a network that comes and goes would use up the tokens. */
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

  /** The connection is a good one: the next attempt is the first again. */
  proven() {
    this.#failures = 0;
  }

  /**
   * After a random time, so that a crowd does not come back all at once.
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

  /** Now, whatever was planned; a little later, if that was done a moment ago or the server has asked for a pause. */
  now() {
    this.#wanted = this.#calm !== null;
    if (this.#wanted) return;
    this.#calmFor(CALM_MS);
    this.#connect();
  }

  /** An attempt has begun, or is no longer wanted. */
  cancel() {
    clearTimeout(this.#timer);
    this.#wanted = false;
  }

  /** As if nothing had been tried. */
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
