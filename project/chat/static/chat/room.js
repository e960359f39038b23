/** The room page: puts the connection, the messages, the composer and the people together. */

import { connect } from "../ws_lambda/client.js";
import { Composer } from "./composer.js";
import { MessageList } from "./messages.js";
import { showPeople } from "./people.js";

const settings = JSON.parse(document.getElementById("room-settings").textContent);
const stateLine = document.getElementById("state");
const banner = document.getElementById("banner");

const STATES = {
  connecting: "Connecting",
  open: "Connected",
  waiting: "Reconnecting",
  offline: "Offline",
  "signed-out": "Logged out",
  closed: "Closed",
};

let wasConnected = false;

const messages = new MessageList(settings.me);
const composer = new Composer(settings.maxLength, (text) => say(text, crypto.randomUUID?.() ?? String(Math.random())));

const client = connect({
  tokenUrl: settings.tokenUrl,
  channel: settings.room,
  onMessage(frame) {
    if (frame.type === "message") messages.add(frame);
    else if (frame.type === "presence") showPeople(frame.people, settings.me);
  },
  onCaughtUp: () => messages.settled(),
  onGap: () => messages.mark("Some messages are no longer kept"),
  onState(state) {
    showState(state);
    if (state === "open") client.post({ action: "enter" });
    composer.open = state !== "signed-out";
    banner.hidden = state !== "signed-out";
    if (state === "signed-out") offerLogin();
  },
});

/** One word for both halves of reconnecting: a screen reader reads out whatever changes here. */
function showState(state) {
  wasConnected ||= state === "open";
  const text = wasConnected && state === "connecting" ? STATES.waiting : STATES[state];
  stateLine.dataset.state = state;
  if (stateLine.textContent !== text) stateLine.textContent = text;
  messages.connected = state === "open";
}

async function say(text, id) {
  messages.addPending(id, text, settings.me);
  try {
    await client.send({ action: "chat_message", message: text }, { id });
  } catch (error) {
    if (error.code === "refused") messages.fail(id, error.message);
    else messages.fail(id, `Not sent: ${error.message}`, () => say(text, id));
  }
}

function offerLogin() {
  const link = Object.assign(document.createElement("a"), { href: settings.loginUrl, textContent: "Log in again" });
  banner.replaceChildren("Your login has ended. ", link, " to go on.");
}
