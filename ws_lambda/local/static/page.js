// The live page. State is asked for after whatever changes it; events come as a stream.
const $ = (id) => document.getElementById(id);
const OWN = { "X-Local-Page": "1", "Content-Type": "application/json" };
const KEPT = 300;

const make = (tag, className, text) => {
  const one = document.createElement(tag);
  if (className) one.className = className;
  if (text !== undefined) one.textContent = text;
  return one;
};
const ask = async (path, data) => {
  const options = data ? { method: "POST", body: JSON.stringify(data) } : {};
  const answer = await fetch(`/_page/${path}`, { ...options, headers: OWN });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};

// Connections

let state = null;
let due = 0;
let pending = false;
const refresh = () => {
  if (due) return;
  due = setTimeout(async () => {
    if (pending) { due = 0; return refresh(); }
    due = 0;
    pending = true;
    try { show(await ask("state")); } catch { /* the stream says that the gateway is gone */ }
    pending = false;
  }, 120);
};

const ago = (seconds) => {
  if (seconds < 1.5) return "now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  return `${Math.round(seconds / 60)} min ago`;
};

const show = (next) => {
  if (!state) prepare(next);
  state = next;
  $("open").textContent = next.open;
  $("nobody").hidden = next.open > 0;
  $("connections").replaceChildren(...next.connections.map(row));
};

const row = (one) => {
  const tr = make("tr");
  const id = make("td");
  id.append(make("span", "id", one.id));
  id.title = one.agent;
  const channels = make("td", "channels");
  for (const name of one.channels ?? []) channels.append(whole(make("span", "chip", name)));
  const acts = make("td");
  acts.append(act("close", "DELETE", one.id), act("cut", "LOSE", one.id));
  tr.append(id, whole(make("td", "user", one.user || "–")), channels, make("td", "number", `${one.in} / ${one.out}`),
    make("td", "", ago(state.now - one.active)), acts);
  return tr;
};

/** A long one is cut off by the page; the whole of it is shown on pointing at it. */
const whole = (one) => Object.assign(one, { title: one.textContent });

const act = (label, method, id) => {
  const button = make("button", "quiet", label);
  button.type = "button";
  button.title = method === "LOSE" ? "lose the network, with no close frame" : "DELETE @connections";
  button.onclick = async () => { await ask("act", { method, id }); refresh(); };
  return button;
};

const prepare = (first) => {
  $("url").textContent = first.url;
  $("site").href = first.site;
  const nobody = make("option", "", "nobody (no token)");
  nobody.value = "";
  $("account").replaceChildren(...first.accounts.map((name) => make("option", "", name)), nobody);
};

// Events

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

const pretty = (text) => {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
};

const entry = (one) => {
  const details = make("details");
  const summary = make("summary");
  const bad = one.status >= 400 || one.status === 0;
  const took = one.event && one.status ? `${Math.max(1, Math.round(one.seconds * 1000))} ms` : "";
  summary.append(make("time", "", clock.format(one.at * 1000)), make("span", "kind", one.kind),
    make("span", "id", one.id), make("span", "took", took),
    make("span", bad ? "status bad" : "status", one.status || "–"));
  details.append(summary);
  if (one.note) details.append(make("p", "note", one.note));
  if (one.event) details.append(make("pre", "", JSON.stringify(one.event, null, 2)));
  if (one.sent) details.append(make("pre", "", pretty(one.sent)));
  if (one.answer) details.append(make("pre", "", JSON.stringify(one.answer, null, 2)));
  const li = make("li");
  li.append(details);
  return li;
};

const follow = () => {
  const stream = new EventSource("/_page/stream");
  stream.onopen = () => {
    $("live").textContent = "live";
    $("live").className = "pill on";
    $("events").replaceChildren();
    refresh();
  };
  stream.onerror = () => { $("live").textContent = "stopped"; $("live").className = "pill off"; };
  stream.onmessage = (message) => {
    $("nothing").hidden = true;
    $("events").prepend(entry(JSON.parse(message.data)));
    while ($("events").childElementCount > KEPT) $("events").lastChild.remove();
    refresh();
  };
};
$("clear").onclick = () => { $("events").replaceChildren(); $("nothing").hidden = false; };

// Try it

let socket = null;
const say = (way, text, className) => {
  const li = make("li");
  li.dataset.way = way;
  li.append(make("span", className, text));
  $("talk").append(li);
  $("talk").scrollTop = $("talk").scrollHeight;
};

const connect = async () => {
  const query = new URLSearchParams($("query").value);
  if ($("channel").value) query.set("channel", $("channel").value);
  if ($("account").value) query.set("ws_token", (await ask("token", { username: $("account").value })).token);
  socket = new WebSocket(`${state.url}?${query}`);
  socket.onopen = () => { say("·", `connected as ${$("account").value || "nobody"}`, "note"); buttons(true); };
  socket.onmessage = (message) => say("←", message.data);
  socket.onclose = (closed) => {
    const never = $("connector").textContent !== "Disconnect";
    say("·", never ? "refused: the events say why" : `closed, ${closed.code} ${closed.reason}`, never ? "bad" : "note");
    socket = null;
    buttons(false);
    refresh();
  };
};

const buttons = (open) => {
  $("connector").textContent = open ? "Disconnect" : "Connect";
  $("sender").disabled = !open;
  refresh();
};

$("connect").onsubmit = (event) => {
  event.preventDefault();
  if (socket) socket.close();
  else connect().catch((error) => say("·", error.message, "bad"));
};
$("send").onsubmit = (event) => {
  event.preventDefault();
  socket.send($("message").value);
  say("→", $("message").value);
};
$("message").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && socket) { event.preventDefault(); $("send").requestSubmit(); }
};

follow();
refresh();
setInterval(refresh, 5000);
