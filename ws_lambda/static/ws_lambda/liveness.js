/**
 * Whether a line still leads anywhere.
 *
 * Only what is received is a sign of life. A browser takes what is sent, and calls the socket open for many minutes,
 * when all of it goes into a hole.
 */

/** What is said is answered by then, as a rule. */
const LATE_MS = 5_000;

/** A ping is answered by then. Where that was too short once, it is doubled until answers are quick again. */
const ANSWER_MS = 5_000;

/** So long before a line is given up for its silence there is reason to prepare another. */
const DOUBT_MS = 4_000;

/** A page that slept runs its timers before it gets the frames that have come meanwhile. */
const SECOND_LOOK_MS = 1_000;

/** So many lines in a row without an answer, and it is the API that does not answer. */
const SILENT_LINES = 3;

/**
 * What is known of an API. It outlives connections: an API without route responses never answers, and there silence
 * means nothing.
 */
export class KnownApi {
  /** It knows pings: an error is no answer to one. */
  pongs = false;
  /** It was sent a ping only to see whether it answers. */
  asked = false;
  #answers = false;
  #silentLines = 0;

  /** Whether its silence means something. */
  get answers() {
    return this.#answers && this.#silentLines < SILENT_LINES;
  }

  /** How long to wait for the answer to a ping, in ms. */
  get patience() {
    return ANSWER_MS * 2 ** this.#silentLines;
  }

  /** It has answered, on which connection ever; `quickly`, if nobody had to ask. */
  answered(quickly) {
    this.#answers = true;
    this.#silentLines = quickly ? 0 : Math.min(this.#silentLines, SILENT_LINES - 1);
  }

  /** A line was given up for its silence. */
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
   * @param {(data: object) => boolean} line.send says whether it could
   * @param {() => string|null} line.awaits the id of the message whose confirmation is due
   * @param {() => void} line.onDoubt it may be dead soon
   * @param {() => void} line.onDead
   */
  constructor(api, options, line) {
    this.#api = api;
    this.#options = options;
    this.#line = line;
  }

  /** Something was sent: an answer is due. Further words do not put that off. */
  spoke() {
    if (this.#timer !== null) return;
    this.#fresh = true;
    this.#later(LATE_MS, () => this.#late());
  }

  /**
   * A frame has come, which is life, whatever it says.
   * @returns {boolean} whether it is only the answer to a ping
   */
  heard(frame) {
    const [spoke, asked] = [this.#timer !== null, this.#asking];
    const quickly = spoke && this.#fresh;
    const refused = isRefusal(frame);
    const isPong = frame.type === "pong" || (refused && asked && !this.#api.pongs);
    const direct = isPong || refused || frame.type === "history" || (frame.ack ?? frame.nack) !== undefined;
    this.#awaited = this.#line.awaits();
    this.#kept = !direct && !asked && this.#awaited !== null; // what others say makes no confirmation less late
    if (!this.#kept) this.stop();
    if (frame.type === "pong") this.#api.pongs = true;
    if (direct) this.#api.answered(quickly);
    else if (spoke) this.#learn();
    if (direct) this.#deafPings = 0;
    else if (asked && this.#awaited !== null) this.#unheard();
    return isPong;
  }

  /** What a frame led to is done: is there still something to wait for? */
  watch() {
    const awaited = this.#line.awaits();
    if (this.#kept && awaited !== this.#awaited) this.stop(); // it was the confirmation after all
    this.#kept = false;
    if (awaited !== this.#awaited) this.#deafPings = 0;
    if (this.#timer !== null || awaited === null) return;
    this.spoke();
    this.#fresh = false;
  }

  /** Finds out whether the other side still answers. */
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

  /** Nothing is expected any more. */
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

  /** Others are heard, but neither ping nor message is answered: the way there may be lost, and the way back not. */
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

  /** Without history there may be no answer that can be told from what others say, but for a pong. One ping shows. */
  #learn() {
    if (this.#options.history || this.#api.answers || this.#api.asked) return;
    this.#api.asked = true;
    this.probe();
  }

  #later(ms, action) {
    this.#timer = setTimeout(action, ms);
  }
}

/** The view's own word on something that this connection has sent. API Gateway's errors have no status. */
function isRefusal({ message, status, connectionId, requestId }) {
  return typeof message === "string" && Boolean(status && connectionId && requestId);
}
