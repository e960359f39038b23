/** The list of messages: runs of one sender, days, what is on its way, and where the reader is. */

import { wear } from "./people.js";

const RUN_MS = 5 * 60_000;
const NEAR_PX = 80;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export class MessageList {
  #me;
  #list = document.getElementById("messages");
  #scroll = document.getElementById("scroll");
  #newer = document.getElementById("newer");
  #template = document.getElementById("message-template");
  #pending = new Map();
  #connected = false;
  #last = null;

  constructor(me) {
    this.#me = me;
    this.#newer.addEventListener("click", () => this.#toEnd());
    this.#scroll.addEventListener("scroll", () => this.#atEnd() && (this.#newer.hidden = true), { passive: true });
    // Keep the last line in sight when a phone's keyboard comes up or the composer grows.
    let height = 0;
    new ResizeObserver(() => {
      const shrunk = height - this.#scroll.clientHeight;
      height = this.#scroll.clientHeight;
      if (shrunk > 0) this.#scroll.scrollTop += shrunk;
    }).observe(this.#scroll);
  }

  /** Whether there is a connection: what is on its way says so. */
  set connected(connected) {
    this.#connected = connected;
    for (const item of this.#pending.values()) if (item.classList.contains("pending")) this.#onItsWay(item);
  }

  /** A message that the server has stored. Takes the place of the one that was on its way. */
  add({ id, message, sender, sent_at: sentAt }) {
    const follow = this.#atEnd() || sender === this.#me;
    this.#pending.get(id)?.remove();
    this.#pending.delete(id);
    const at = new Date(sentAt);
    this.#day(at);
    const item = this.#item(sender, message);
    const time = item.querySelector("time");
    time.dateTime = sentAt;
    time.textContent = clock.format(at);
    item.title = at.toLocaleString();
    this.#place(item, sender, at);
    this.#last = { item, sender, at };
    document.getElementById("empty").hidden = true;
    if (follow) this.#toEnd();
    else this.#newer.hidden = false;
  }

  /** What the reader has just written, before the server has confirmed it. */
  addPending(id, text, sender) {
    this.#pending.get(id)?.remove();
    const item = this.#item(sender, text);
    item.classList.add("pending", "follows", "last-of-run");
    this.#onItsWay(item);
    this.#pending.set(id, item);
    this.#list.append(item);
    document.getElementById("empty").hidden = true;
    this.#toEnd();
  }

  /** It could not be sent; `retry`, if trying again makes sense. */
  fail(id, reason, retry) {
    const item = this.#pending.get(id);
    if (!item) return;
    item.classList.replace("pending", "failed");
    const note = this.#note(item, reason);
    if (!retry) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    button.addEventListener("click", retry);
    note.append(button);
  }

  /** History is in: from here on a screen reader is told of each message. */
  settled() {
    document.getElementById("empty").hidden = this.#list.childElementCount > 0;
    requestAnimationFrame(() => this.#list.setAttribute("aria-live", "polite"));
  }

  /** A line across the talk. */
  mark(text) {
    const item = document.createElement("li");
    item.className = "mark";
    item.append(text);
    this.#insert(item);
    this.#last = null;
  }

  #day(at) {
    const day = calendar.format(at);
    if (this.#list.dataset.day === day) return;
    this.#list.dataset.day = day;
    this.mark(day === calendar.format(new Date()) ? "Today" : day);
  }

  #item(sender, text) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    item.classList.toggle("mine", sender === this.#me);
    item.querySelector(".sender").textContent = sender;
    item.querySelector(".text").textContent = text;
    wear(item.querySelector(".avatar"), sender);
    return item;
  }

  #place(item, sender, at) {
    const last = this.#last;
    if (last && last.sender === sender && at - last.at < RUN_MS) {
      item.classList.add("follows");
      last.item.classList.remove("last-of-run");
    }
    item.classList.add("last-of-run");
    this.#insert(item);
  }

  /** What is stored comes before what is on its way. */
  #insert(item) {
    this.#list.insertBefore(item, this.#pending.values().next().value ?? null);
  }

  #onItsWay(item) {
    this.#note(item, this.#connected ? "Sending" : "Waiting for a connection");
  }

  #note(item, text) {
    const note = item.querySelector(".note");
    note.hidden = false;
    note.replaceChildren(text);
    return note;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  #toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#newer.hidden = true;
  }
}
