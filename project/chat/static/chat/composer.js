/** The field to write in: it grows with its text, and Enter sends. */

const WARN_AT = 100;

/** As the server counts: an emoji is one. */
const lengthOf = (text) => [...text].length;

export class Composer {
  #form = document.getElementById("composer");
  #text = document.getElementById("text");
  #left = document.getElementById("left");
  #maxLength;
  #send;

  /** @param {(text: string) => void} send */
  constructor(maxLength, send) {
    this.#maxLength = maxLength;
    this.#send = send;
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#text.addEventListener("input", () => this.#fit());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    if (matchMedia("(hover: hover)").matches) this.#text.focus(); // on a phone that would raise the keyboard
    this.#fit();
  }

  /** Whether something can be written: not once the login has ended. */
  set open(open) {
    for (const one of this.#form.elements) one.disabled = !open;
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (!text || lengthOf(text) > this.#maxLength) return; // a longer one is said to be, not cut
    this.#text.value = "";
    this.#fit();
    this.#text.focus();
    this.#send(text);
  }

  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
    const left = this.#maxLength - lengthOf(this.#text.value.trim());
    this.#left.textContent = left < 0 ? `${-left} too many` : left < WARN_AT ? `${left} left` : "";
    this.#text.setAttribute("aria-invalid", String(left < 0));
  }
}
