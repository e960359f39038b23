/** One WebSocket, from its opening to its end: kept alive, watched, and renewed in time. */

import { Liveness } from "./liveness.js";

const OPEN_WAIT_MS = 15_000;

/** The socket is open, but the server does not know the connection. Only a new connection helps. */
const SESSION_LOST = "Invalid connection ID";

export class Link {
  #socket;
  #options;
  #events;
  #liveness;
  #timers = {};

  /**
   * @param {{token: string, url: string}} grant from the token endpoint
   * @param {object} options those of the client
   * @param {KnownApi} api what is known about the API
   * @param {object} events
   * @param {() => void} events.onOpen
   * @param {() => void} events.onLife something was received; called before the frame is handled
   * @param {(frame: object) => void} events.onFrame
   * @param {() => void} events.onDoubt the connection is silent, and may be given up soon
   * @param {() => void} events.onLost
   * @param {() => void} events.onAged the connection should be replaced
   * @param {() => string|null} events.awaits the id of the message whose confirmation is due
   */
  constructor(grant, options, api, events) {
    this.#options = options;
    this.#events = events;
    this.#liveness = new Liveness(api, options, {
      send: (data) => this.send(data),
      awaits: events.awaits,
      onDoubt: events.onDoubt,
      onDead: () => this.drop(),
    });
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
    this.#keepAlive();
    this.#liveness.spoke();
    this.#socket.send(JSON.stringify(data));
    return true;
  }

  /** Checks whether the server still answers. A dead connection can look open for many minutes. */
  probe() {
    this.#liveness.probe();
  }

  close() {
    this.#release()?.close(1000);
  }

  /** Ends the connection as if the server had closed it. A dead socket may take minutes to report that it is closed. */
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
    const frame = objectIn(data);
    const isPong = this.#liveness.heard(frame ?? {});
    this.#events.onLife();
    if (frame?.message === SESSION_LOST && frame.status) return this.drop();
    if (frame && !isPong) this.#events.onFrame(frame);
    if (this.#socket) this.#liveness.watch();
  }

  /** API Gateway closes a connection that is silent for ten minutes. Sending postpones the ping, but proves nothing. */
  #keepAlive() {
    clearTimeout(this.#timers.ping);
    if (!this.#options.ping) return;
    const ping = () => {
      this.#keepAlive(); // even if a ping was just sent, another one follows
      this.probe();
    };
    this.#timers.ping = setTimeout(ping, this.#options.pingEvery * (0.9 + Math.random() * 0.1));
  }

  /** Abandons the socket: its later events are ignored. */
  #release() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#liveness.stop();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }
}

/** @returns {object|null} null: the text is not a JSON object, so it is not one of our messages */
function objectIn(text) {
  try {
    const found = JSON.parse(text);
    return typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}

/** The URL and subprotocols to connect with. URLs are often logged, so the token is in a subprotocol by default. */
function address({ url, token }, { channel, protocol, tokenTransport }) {
  const where = new URL(url);
  if (channel) where.searchParams.set("channel", channel);
  if (tokenTransport === "protocol") return [where.href, [protocol, `ws-token.${token}`]];
  where.searchParams.set("ws_token", token);
  return [where.href, protocol ? [protocol] : []];
}
