"use strict";

// What the page shows: the cards, who is here, and the signs that say how it goes. Nothing here
// talks to anybody; board.js does.

const settings = JSON.parse(document.getElementById("settings").textContent);
const columns = [...document.querySelectorAll(".column")];
const cards = new Map(); // id -> {id, text, column, rank, author, colour}
const $ = (id) => document.getElementById(id);

// ---- Cards on the page -------------------------------------------------------------------------

function show(card, { fresh = false } = {}) {
  cards.set(card.id, card);
  const element = elementOf(card.id) || newElement(card.id);
  element.querySelector(".text").textContent = card.text;
  element.querySelector(".author").textContent = card.author;
  paint(element.querySelector(".avatar"), card.author, card.colour);
  nameButtons(element, card);
  place(element, card);
  if (fresh) flash(element);
  recount();
}

function showAll(stored) {
  const ids = new Set(stored.map((card) => card.id));
  for (const id of [...cards.keys()]) if (!ids.has(id)) hide(id);
  for (const card of stored) show(card);
  $("board").setAttribute("aria-busy", "false");
  recount();
}

function hide(id) {
  cards.delete(id);
  elementOf(id)?.remove();
  recount();
}

function elementOf(id) {
  return document.querySelector(`.card[data-id="${CSS.escape(id)}"]`);
}

function newElement(id) {
  const element = $("card-template").content.firstElementChild.cloneNode(true);
  element.dataset.id = id;
  return element;
}

// Touches the page only if the card stands elsewhere: moving an element takes the focus from it.
function place(element, card) {
  const list = listOf(card.column);
  const before = [...list.children].find((other) => other !== element && comesAfter(other, card)) || null;
  if (element.parentElement === list && element.nextElementSibling === before) return;
  const focused = document.activeElement;
  list.insertBefore(element, before);
  if (element.contains(focused)) focused.focus();
}

function comesAfter(element, card) {
  const other = cards.get(element.dataset.id);
  return other.rank > card.rank || (other.rank === card.rank && other.id > card.id);
}

function nameButtons(element, card) {
  const at = columns.findIndex((column) => column.dataset.column === card.column);
  const name = (action, title) => {
    const button = element.querySelector(`[data-do=${action}]`);
    button.title = title;
    button.setAttribute("aria-label", `${title}: ${card.text}`);
    return button;
  };
  for (const [action, target] of [["left", columns[at - 1]], ["right", columns[at + 1]]]) {
    name(action, target ? `Move to ${titleOf(target)}` : "No column there").disabled = !target;
  }
  name("remind", "Remind everybody here in a minute");
  name("edit", "Edit");
  name("remove", "Delete");
}

function placeOf(id) {
  const list = elementOf(id).parentElement;
  const position = [...list.children].indexOf(elementOf(id)) + 1;
  return `${titleOf(list.parentElement)}, position ${position} of ${list.children.length}`;
}

function listOf(column) {
  return columns.find((element) => element.dataset.column === column).querySelector(".cards");
}

function titleOf(column) {
  return column.querySelector("h2 span").textContent;
}

function recount() {
  for (const column of columns) {
    column.querySelector(".count").textContent = column.querySelectorAll(".card").length;
  }
  $("empty").hidden = cards.size > 0;
}

function paint(avatar, name, colour) {
  avatar.textContent = [...name][0].toUpperCase();
  avatar.dataset.colour = colour;
}

function flash(element) {
  element.classList.remove("fresh");
  requestAnimationFrame(() => element.classList.add("fresh"));
}

// The event is a minute old, the card is as it is now; one that is gone reminds of nothing.
function showReminder({ id, by }) {
  const element = elementOf(id);
  if (!element) return;
  flash(element);
  notice(`${by} reminds you of: ${cards.get(id).text}`);
}

// ---- Who is here, and how it goes --------------------------------------------------------------

function showMembers(members) {
  const items = [];
  members.each(({ id, info }) => {
    const item = document.createElement("li");
    item.className = "avatar";
    paint(item, info.name, info.colour);
    const label = id === settings.me ? `${info.name} (you)` : info.name;
    item.title = label;
    item.setAttribute("aria-label", label);
    items[id === settings.me ? "unshift" : "push"](item);
  });
  $("here").replaceChildren(...items);
}

function showState(state) {
  const words = {
    initialized: "Connecting…",
    connecting: "Connecting…",
    connected: "Live",
    unavailable: "Offline, retrying",
    disconnected: "Disconnected",
    failed: "This browser cannot connect",
    missing: "Not live: pusher-js did not load",
  };
  $("status").textContent = words[state];
  $("status").dataset.state = state;
  if (state !== "connected") $("here").replaceChildren();
}

let progressEnd = 0;

function expectProgress() {
  clearTimeout(progressEnd);
  $("progress").hidden = false;
  $("progress").querySelector("label").textContent = "The import starts…";
  $("progress-bar").removeAttribute("value");
  $("import").disabled = true;
  progressEnd = setTimeout(endProgress, 15_000);
}

function showProgress({ by, done, total }) {
  clearTimeout(progressEnd);
  const finished = done === total;
  $("progress").hidden = false;
  $("progress").querySelector("label").textContent = finished
    ? `${by} imported ${total} cards`
    : `${by} imports cards: ${done} of ${total}`;
  $("progress-bar").max = total;
  $("progress-bar").value = done;
  $("import").disabled = !finished;
  // A task that stops half-way is tried again later; until then nothing is shown of it.
  progressEnd = setTimeout(endProgress, finished ? 3_000 : 15_000);
  if (finished) announce(`${total} cards were imported.`);
}

function endProgress() {
  $("progress").hidden = true;
  $("import").disabled = false;
}

function notice(text, choices = {}) {
  const element = document.createElement("p");
  element.className = "toast";
  element.textContent = text;
  for (const [label, choose] of Object.entries(choices)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      element.remove();
      choose();
    });
    element.append(button);
  }
  $("notices").replaceChildren(element);
  setTimeout(() => element.remove(), 6_000);
}

function announce(text) {
  $("announcer").textContent = text;
}
