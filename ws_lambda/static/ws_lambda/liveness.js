/**
 * Checks whether a connection still works.
 *
 * Only received frames prove it. A browser accepts outgoing frames, and reports the socket as open for many minutes,
 * even if none of them arrives.
 */

/** A message is usually answered within this time. */
const LATE_MS = 5_000;

/** A ping is answered within this time. After a connection was given up, it is doubled until answers are fast again. */
const ANSWER_MS = 5_000;

/** This long before a silent connection is given up, another one is prepared. */
const DOUBT_MS = 4_000;

/** After sleep, a page runs its timers before it gets the frames that have arrived in the meantime. */
const SECOND_LOOK_MS = 1_000;

/** After this many connections in a row without an answer, the API is assumed not to answer at all. */
const SILENT_LINES = 3;

/**
 * What is known about an API. It is kept from one connection to the next. An API without route responses never
 * answers, so its silence means nothing.
 */
export class KnownApi {
  /** The API has answered a ping with a pong, so an error is not an answer to a ping. */
  pongs = false;
  /** A ping was sent only to find out whether the API answers. */
  asked = false;
  #answers = false;
  #silentLines = 0;

  /** Whether silence means that the connection is dead. */
  get answers() {
    return this.#answers && this.#silentLines < SILENT_LINES;
  }

  /** How long to wait for the answer to a ping, in ms. */
  get patience() {
    return ANSWER_MS * 2 ** this.#silentLines;
  }

  /** The API has answered, on any connection; `quickly`: without a ping. */
  answered(quickly) {
    this.#answers = true;
    this.#silentLines = quickly ? 0 : Math.min(this.#silentLines, SILENT_LINES - 1);
  }

  /** A connection was given up because it was silent. */
  wasSilent() {
    this.#silentLines += 1;
  }
}

export class Liveness {
  #api;
  #options;
  #line;
  #timer = null;
  #doubt = null;
  #asking = false;
  #fresh = false;
  #inVain = false;
  #awaited = null;
  #kept = false;
  #deafPings = 0;

  /**
   * @param {KnownApi} api
   * @param {{ping: string|null, history: string|null}} options those of the client
   * @param {object} line
   * @param {(data: object) => boolean} line.send returns whether it could send
   * @param {() => string|null} line.awaits the id of the message whose confirmation is due
   * @param {() => void} line.onDoubt the connection may be dead
   * @param {() => void} line.onDead
   */
  constructor(api, options, line) {
    this.#api = api;
    this.#options = options;
    this.#line = line;
  }

  /** Something was sent, so an answer is due. Sending more does not postpone it. */
  spoke() {
    if (this.#timer !== null) return;
    this.#fresh = true;
    this.#later(LATE_MS, () => this.#late());
  }

  /**
   * A frame has arrived. Any frame shows that the connection works.
   * @returns {boolean} whether it is only the answer to a ping
   */
  heard(frame) {
    const [spoke, asked] = [this.#timer !== null, this.#asking];
    const quickly = spoke && this.#fresh;
    const refused = isRefusal(frame);
    const isPong = frame.type === "pong" || (refused && asked && !this.#api.pongs);
    const direct = isPong || refused || frame.type === "history" || (frame.ack ?? frame.nack) !== undefined;
    this.#awaited = this.#line.awaits();
    this.#kept = !direct && !asked && this.#awaited !== null; // messages of others are not the confirmation
    if (!this.#kept) this.stop();
    if (frame.type === "pong") this.#api.pongs = true;
    if (direct) this.#api.answered(quickly);
    else if (spoke) this.#learn();
    if (direct) this.#deafPings = 0;
    else if (asked && this.#awaited !== null) this.#unheard();
    return isPong;
  }

  /** A frame has been handled: checks whether an answer is still due. */
  watch() {
    const awaited = this.#line.awaits();
    if (this.#kept && awaited !== this.#awaited) this.stop(); // the frame was the confirmation
    this.#kept = false;
    if (awaited !== this.#awaited) this.#deafPings = 0;
    if (this.#timer !== null || awaited === null) return;
    this.spoke();
    this.#fresh = false;
  }

  /** Checks whether the server still answers. */
  probe() {
    if (this.#asking || !this.#options.ping) return;
    this.stop();
    this.#asking = true;
    this.#fresh = false;
    const { patience } = this.#api;
    const due = Date.now() + patience;
    this.#doubt = setTimeout(() => this.#api.answers && this.#line.onDoubt(), patience - DOUBT_MS);
    this.#later(patience, () => {
      if (Date.now() - due > SECOND_LOOK_MS) this.#later(SECOND_LOOK_MS, () => this.#silent());
      else this.#silent();
    });
    if (!this.#line.send({ action: this.#options.ping })) this.stop();
  }

  /** No answer is due any more. */
  stop() {
    clearTimeout(this.#doubt);
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#asking = false;
  }

  #late() {
    this.#timer = null;
    if (this.#api.answers && this.#deafPings * LATE_MS >= 2 * this.#api.patience) this.#giveUp();
    else if (this.#api.answers || (this.#line.awaits() !== null && !this.#inVain)) this.probe();
  }

  /** Messages of others arrive, but neither ping nor message is answered: the way to the server may be broken. */
  #unheard() {
    this.#deafPings += 1;
    this.#inVain = true;
  }

  #silent() {
    this.stop();
    this.#inVain = true;
    if (this.#api.answers) this.#giveUp();
  }

  #giveUp() {
    this.#api.wasSilent();
    this.#line.onDead();
  }

  /** Without history, only a pong can be told from messages of others. One ping shows whether the API answers. */
  #learn() {
    if (this.#options.history || this.#api.answers || this.#api.asked) return;
    this.#api.asked = true;
    this.probe();
  }

  #later(ms, action) {
    this.#timer = setTimeout(action, ms);
  }
}

/** Whether the view has answered something that this connection sent. API Gateway's own errors have no status. */
function isRefusal({ message, status, connectionId, requestId }) {
  return typeof message === "string" && Boolean(status && connectionId && requestId);
}
