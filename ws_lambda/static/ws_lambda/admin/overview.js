/**
 * The live overview: requests snapshots over the project's own WebSocket, and draws them.
 *
 * If the socket cannot be opened (no token endpoint, no route), it uses HTTP instead, and says so.
 */

import { connect } from "../client.js";

const root = document.getElementById("overview");
const { route, url, tokenUrl } = root.dataset;
const refresh = Number(root.dataset.refresh);
const element = (id) => document.getElementById(`overview-${id}`);
const CHART = { width: 720, height: 200, bar: 720 / 60 };

/** After this many requests without an answer, the socket cannot be opened, or it does not lead to the overview. */
const PATIENCE = 5;

function draw(snapshot) {
  element("connections").textContent = `${snapshot.complete ? "" : "at least "}${snapshot.connections}`;
  fill(element("channels"), snapshot.channels);
  fill(element("gateways"), snapshot.gateways);
  const total = (what) => snapshot.hour.reduce((sum, minute) => sum + minute[what], 0);
  element("messages").textContent = total("messages");
  element("refusals").textContent = total("refusals");
  chart(snapshot.hour);
}

function fill(body, rows) {
  body.replaceChildren(
    ...rows.map((row) => {
      const line = document.createElement("tr");
      for (const text of [row.name, row.connections]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        line.append(cell);
      }
      return line;
    }),
  );
}

function chart(minutes) {
  const peak = Math.max(...minutes.map((minute) => minute.messages + minute.refusals));
  element("peak").textContent = peak;
  const bars = minutes.flatMap((minute, index) => {
    const messages = (minute.messages / (peak || 1)) * CHART.height;
    const refusals = (minute.refusals / (peak || 1)) * CHART.height;
    return [
      bar(index, CHART.height - messages, messages, "messages", minute),
      bar(index, CHART.height - messages - refusals, refusals, "refusals", minute),
    ];
  });
  element("chart").replaceChildren(...bars);
}

function bar(index, y, height, what, minute) {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const place = { x: index * CHART.bar + 1, y, width: CHART.bar - 2, height, class: `overview-${what}` };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = `${minute.minute} UTC: ${minute[what]} ${what}`;
  rect.append(title);
  return rect;
}

function say(text) {
  element("state").textContent = text;
}

async function ask() {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (answer.redirected) throw new Error("log in again");
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  draw(await answer.json());
}

/** Requests a snapshot over HTTP. Shows why, unless the socket is open when the answer arrives. */
function askInstead(why, client) {
  const tell = (text) => client?.state === "open" || say(text);
  ask().then(
    () => tell(`Updated over HTTP, because ${why}.`),
    (error) => tell(`Not updated: ${error.message}.`),
  );
}

/** Repeats an action while the page is visible. */
function watch(act, every) {
  act();
  return setInterval(() => document.hidden || act(), every);
}

function poll(why) {
  watch(() => askInstead(why), refresh * 2);
}

function listen() {
  let unanswered = 0;
  const client = connect({
    tokenUrl,
    history: null,
    onMessage: (frame) => {
      if (frame.type !== route) return;
      unanswered = 0;
      draw(frame);
    },
    onState: (state) => {
      if (state === "open") unanswered = 0;
      say(state === "open" ? "Live, over this project's WebSocket." : `WebSocket: ${state}.`);
    },
  });
  const timer = watch(() => {
    const patient = ++unanswered <= PATIENCE;
    if (client.state === "open") {
      if (patient) return client.post({ action: route, handler: route });
      clearInterval(timer);
      client.close();
      poll(`the gateway has no route “${route}” that leads to the overview`);
    } else if (!patient && unanswered % 2) askInstead(`the WebSocket is ${client.state}`, client);
  }, refresh);
}

draw(JSON.parse(element("snapshot").textContent));
if (tokenUrl) listen();
else poll("this project has no token endpoint");
