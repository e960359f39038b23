/** What a page is told of its network, and of having slept. None of it is certain; each is a reason to look. */

const TICK_MS = 5_000;

/** A page in sight is not held back: a timer this late means that the machine, or the page, has slept. */
const SLEPT_MS = 10_000;

/** The timers of a hidden page run once a minute. */
const SLEPT_HIDDEN_MS = 90_000;

/**
 * @param {object} events
 * @param {() => void} events.onOffline
 * @param {() => void} events.onOnline
 * @param {(slept: number) => void} events.onWake back in sight, on another network, or awake after so many ms
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

/** The event tells of every change of speed, too. Where the kind of network is known, that says if it is another. */
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

/** Timers stand still while a machine sleeps; its clock goes on. */
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
