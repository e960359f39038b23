/** One WebSocket, from its opening to its end: kept alive, watched, and renewed in time. */

const OPEN_WAIT_MS = 15_000;
const PONG_WAIT_MS = 10_000;

export class Link {
  #socket;
  #options;
  #events;
  #timers = {};
  #heard = 0;
  #answers = false;

  /**
   * @param {{token: string, url: string}} grant from the token endpoint
   * @param {object} options those of the client
   * @param {{onOpen: Function, onFrame: Function, onLost: Function, onAged: Function}} events
   */
  constructor(grant, options, events) {
    this.#options = options;
    this.#events = events;
    const [url, protocols] = address(grant, options);
    const socket = (this.#socket = new WebSocket(url, protocols));
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onclose = () => this.drop();
    this.#timers.open = setTimeout(() => this.drop(), OPEN_WAIT_MS);
  }

  /** @returns {boolean} whether the connection was there to send on */
  send(data) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(data));
    this.#keepAlive();
    return true;
  }

  /** Finds out whether the other side still answers. A dead connection can look open for many minutes. */
  probe() {
    const { ping } = this.#options;
    if (!ping || !this.send({ action: ping })) return;
    const before = this.#heard;
    clearTimeout(this.#timers.pong);
    this.#timers.pong = setTimeout(() => {
      // An API without route responses never answers; only silence after an answer means something.
      if (this.#answers && this.#heard === before) this.drop();
    }, PONG_WAIT_MS);
  }

  close() {
    const socket = this.#release();
    if (socket) socket.onmessage = ({ data }) => this.#received(data); // what is under way still counts
    socket?.close(1000);
  }

  /** Ends it as if the other side had. */
  drop() {
    const socket = this.#release();
    if (!socket) return;
    socket.close();
    this.#events.onLost();
  }

  #opened() {
    clearTimeout(this.#timers.open);
    const { renewAfter, renewSpread } = this.#options;
    this.#timers.renew = setTimeout(() => this.#events.onAged(), renewAfter + Math.random() * renewSpread);
    this.#keepAlive();
    this.#events.onOpen();
  }

  #received(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame === null || typeof frame !== "object") return;
    this.#heard += 1;
    if (frame.type === "pong" || frame.type === "history" || frame.ack !== undefined) this.#answers = true;
    this.#events.onFrame(frame);
  }

  #keepAlive() {
    clearTimeout(this.#timers.ping);
    if (!this.#options.ping) return;
    this.#timers.ping = setTimeout(() => this.probe(), this.#options.pingEvery * (0.9 + Math.random() * 0.1));
  }

  /** Lets go of the socket, so that nothing it still does is taken for news. */
  #release() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }
}

/** Where to connect to. As a subprotocol the token stays out of URLs, which end up in logs. */
function address({ url, token }, { channel, protocol, tokenTransport }) {
  const where = new URL(url);
  if (channel) where.searchParams.set("channel", channel);
  if (tokenTransport === "protocol") return [where.href, [protocol, `ws-token.${token}`]];
  where.searchParams.set("ws_token", token);
  return [where.href, protocol ? [protocol] : []];
}
