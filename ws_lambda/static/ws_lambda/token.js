/** Fetching a WebSocket token: a CSRF-protected POST, one for every connection. */

const TIMEOUT_MS = 10_000;

/** The login is over (401, 403 or a redirect to a login page). Trying again cannot help. */
export class SignedOutError extends Error {
  name = "SignedOutError";
}

/** The token endpoint did not answer with a token. `retryAfter` is in ms, where the server said so. */
export class TokenError extends Error {
  name = "TokenError";
  constructor(message, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/**
 * Django's CSRF token: the cookie, which is the freshest, else `<meta name="csrf-token">`, else the hidden
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
 * @returns {Promise<{token: string, expires_in: number, url: string}>}
 * @throws {SignedOutError|TokenError|TypeError} TypeError: the network failed, as `fetch` has it.
 */
export async function fetchToken(tokenUrl, { channel = "", csrf = csrfToken() } = {}) {
  const response = await fetch(tokenUrl, {
    method: "POST",
    credentials: "same-origin",
    headers: { Accept: "application/json", "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": csrf },
    body: new URLSearchParams({ channel }).toString(),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
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
