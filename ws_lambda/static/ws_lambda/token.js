/** Fetching a WebSocket token: a CSRF-protected POST, one for every connection. */

const TIMEOUT_MS = 10_000;

/** A browser keeps up to six HTTP connections to a site. Each may be dead, and a request on it is lost. */
const INSIST = { every: 700, times: 7, atOnce: 5 };

/** The login is over (401, 403 or a redirect to a login page). Trying again cannot help. */
export class SignedOutError extends Error {
  name = "SignedOutError";
}

/** The token endpoint did not answer with a token. `retryAfter` is in ms, if the server named a time. */
export class TokenError extends Error {
  name = "TokenError";
  constructor(message, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/**
 * Django's CSRF token: the cookie, which is the newest, else `<meta name="csrf-token">`, else the hidden
 * field of any form on the page (for CSRF_COOKIE_HTTPONLY and CSRF_USE_SESSIONS).
 */
export function csrfToken(page = globalThis.document) {
  const cookie = /(?:^|;\s*)csrftoken=([^;]+)/.exec(page?.cookie ?? "");
  if (cookie) return decodeURIComponent(cookie[1]);
  const meta = page?.querySelector?.('meta[name="csrf-token"]');
  return meta?.content ?? page?.querySelector?.('input[name="csrfmiddlewaretoken"]')?.value ?? "";
}

/**
 * Asks `tokenUrl` for a token.
 * @param {string} tokenUrl
 * @param {object} options those of the client; `insist`: request several times, because HTTP connections may be dead
 * @returns {Promise<{token: string, expires_in: number, url: string}>}
 * @throws {SignedOutError|TokenError|TypeError} TypeError: the network failed, as `fetch` has it.
 */
export async function fetchToken(tokenUrl, { channel = "", csrf = csrfToken(), insist = false } = {}) {
  const ask = (signal) =>
    fetch(tokenUrl, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": csrf },
      body: new URLSearchParams({ channel }).toString(),
      signal,
    });
  const response = await (insist ? askAgainAndAgain(ask) : ask(AbortSignal.timeout(TIMEOUT_MS)));
  if (response.status === 401 || response.status === 403 || response.redirected) {
    throw new SignedOutError(`The token endpoint answered ${response.status}.`);
  }
  if (!response.ok) {
    const seconds = Number(response.headers.get("Retry-After")) || 0;
    throw new TokenError(`The token endpoint answered ${response.status}.`, seconds * 1000);
  }
  const grant = await response.json().catch(() => ({}));
  if (!grant.token) throw new TokenError("The token endpoint answered without a token.");
  return grant;
}

/** The first request that ends, with or without success, decides. Aborting a request closes its HTTP connection. */
function askAgainAndAgain(ask) {
  return new Promise((resolve, reject) => {
    const asked = [];
    let timer;
    const settle = (outcome, value, decisive) => {
      clearTimeout(timer);
      outcome(value);
      for (const other of asked) if (other !== decisive) other.abort();
    };
    const next = () => {
      const own = new AbortController();
      asked.push(own);
      asked.at(-1 - INSIST.atOnce)?.abort();
      ask(own.signal).then(
        (response) => settle(resolve, response, own),
        (error) => own.signal.aborted || settle(reject, error, own),
      );
      const last = asked.length === INSIST.times;
      timer = last ? setTimeout(giveUp, TIMEOUT_MS) : setTimeout(next, INSIST.every);
    };
    const giveUp = () => settle(reject, new TokenError("The token endpoint did not answer."));
    next();
  });
}
