/** Events about the network, and about sleep of the page. They are only hints, so each leads to a check. */

const TICK_MS = 5_000;

/** The timers of a visible page are not throttled. If one is this late, the machine or the page has slept. */
const SLEPT_MS = 10_000;

/** The timers of a hidden page run once a minute. */
const SLEPT_HIDDEN_MS = 90_000;

/**
 * @param {object} events
 * @param {() => void} events.onOffline
 * @param {() => void} events.onOnline
 * @param {(slept: number) => void} events.onWake the page is visible again, on another network, or has slept (in ms)
 * @returns {() => void} ends it
 */
export function watchSurroundings({ onOffline, onOnline, onWake }) {
  const page = globalThis.document;
  const network = globalThis.navigator?.connection;
  const changed = networkChange(network);
  const wake = () => onWake(0);
  const stops = [
    listen(globalThis, "offline", onOffline),
    listen(globalThis, "online", onOnline),
    listen(globalThis, "pageshow", (event) => event?.persisted !== false && wake()), // not the first time
    listen(page, "visibilitychange", () => page.visibilityState === "visible" && wake()),
    listen(page, "resume", wake),
    listen(network, "change", () => changed() && wake()),
    watchClock((late) => late > (page?.hidden ? SLEPT_HIDDEN_MS : SLEPT_MS) && onWake(late)),
  ];
  return () => stops.forEach((stop) => stop());
}

function listen(target, name, action) {
  target?.addEventListener?.(name, action);
  return () => target?.removeEventListener?.(name, action);
}

/** The event also reports every change of speed. If the type of network is known, only a change of type counts. */
function networkChange(network) {
  const kind = () => [network.type, network.effectiveType].find((known) => known !== undefined);
  let before = network && kind();
  return () => {
    const now = kind();
    const other = now === undefined || now !== before;
    before = now;
    return other;
  };
}

/** Timers stop while a machine sleeps, but its clock goes on. */
function watchClock(onTick) {
  let timer, due;
  const wait = () => {
    due = Date.now() + TICK_MS;
    timer = setTimeout(tick, TICK_MS);
  };
  const tick = () => {
    const late = Date.now() - due;
    wait();
    onTick(late);
  };
  wait();
  return () => clearTimeout(timer);
}
