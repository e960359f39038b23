/** Who is here, and the colour that goes with a name. */

const HUES = ["red", "orange", "green", "teal", "blue", "violet", "pink"];

const button = document.getElementById("people-button");
const panel = document.getElementById("people");

button.addEventListener("click", () => toggle(!panel.classList.contains("open")));
document.addEventListener("keydown", ({ key }) => key === "Escape" && toggle(false));
document.addEventListener("click", ({ target }) => {
  if (!panel.contains(target) && !button.contains(target)) toggle(false);
});

function toggle(open) {
  panel.classList.toggle("open", open);
  button.setAttribute("aria-expanded", String(open));
}

/** The same name always has the same colour; a name that is a colour has that one. */
function hueOf(name) {
  if (HUES.includes(name)) return name;
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return HUES[sum % HUES.length];
}

/** Gives an avatar the first letter of a name, and its colour. */
export function wear(avatar, name) {
  avatar.textContent = [...name][0]; // a letter may take two of JavaScript's characters
  avatar.dataset.hue = hueOf(name);
}

/** Shows the people in a room, oneself first. */
export function showPeople(names, me) {
  const others = names.filter((name) => name !== me);
  const all = names.includes(me) ? [me, ...others] : others;
  document.getElementById("people-count").textContent = all.length;
  document.getElementById("people-list").replaceChildren(...all.map((name) => person(name, name === me)));
}

function person(name, isMe) {
  const avatar = element("span", "avatar", "");
  wear(avatar, name);
  avatar.setAttribute("aria-hidden", "true");
  const item = element("li", "", "");
  item.append(avatar, Object.assign(element("span", "name", name), { dir: "auto" }));
  if (isMe) item.append(element("span", "you", "you"));
  return item;
}

function element(tag, className, text) {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}
