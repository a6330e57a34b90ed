"use strict";

// What a window does: asks the server, hears the other windows, and follows the hand. page.js
// shows what comes of it.

// ---- Asking the server -------------------------------------------------------------------------

// One request at a time, so that two quick changes arrive in the order in which they were made.
let turn = Promise.resolve();

function send(method, path, body) {
  const answer = turn.then(() => ask(method, path, body));
  turn = answer.catch(() => {});
  return answer;
}

async function ask(method, path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  // The server leaves this connection out when it triggers: this window shows its change already.
  if (pusher?.connection.socket_id) headers["X-Socket-Id"] = pusher.connection.socket_id;
  const response = await fetch(settings.url + path, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

// A change is shown at once. If the server refuses it, the page goes back to what is stored.
const unanswered = new Set();

async function change(apply, method, path, body) {
  apply();
  unanswered.add(apply);
  try {
    return await send(method, path, body);
  } catch (error) {
    unanswered.delete(apply);
    await reload();
    notice(error instanceof TypeError ? "Not saved: the server cannot be reached." : error.message);
    return null;
  } finally {
    unanswered.delete(apply);
  }
}

// Shows the cards as they are stored. What happens while they are read is newer than they are: events
// wait in `missed`, and changes of this window that are still under way are shown once more.
let missed = null;
let readAgain = false;

async function reload() {
  readAgain = Boolean(missed);
  if (missed) return;
  missed = [];
  try {
    showAll(await send("GET", "/cards"));
  } catch {
    notice("The board could not be read. Reload the page to try again.");
  }
  const applies = [...missed, ...unanswered];
  missed = null;
  for (const apply of applies) apply();
  if (readAgain) await reload();
}

function afterReading(apply) {
  return (data) => (missed ? missed.push(() => apply(data)) : apply(data));
}

// ---- What other windows change -----------------------------------------------------------------

// Without pusher-js, behind a strict firewall say, the board works; it is just not live.
const pusher = window.Pusher
  ? new Pusher(settings.key, { ...settings.options, channelAuthorization: { endpoint: "/pusher/auth" } })
  : null;

if (pusher) {
  const channel = pusher.subscribe(settings.channel);
  for (const event of ["card-added", "card-edited", "card-moved"]) {
    channel.bind(event, afterReading((card) => show(card, { fresh: true })));
  }
  channel.bind("card-deleted", afterReading((card) => hide(card.id)));
  channel.bind("import-progress", showProgress);
  channel.bind("card-reminder", showReminder);

  // After each subscription, also that of a reconnection: events sent before it are not kept for
  // this window, so it reads what is stored.
  channel.bind("pusher:subscription_succeeded", (members) => {
    showMembers(members);
    reload();
  });
  channel.bind("pusher:subscription_error", () => notice("This board cannot be joined. Reload the page to try again."));
  channel.bind("pusher:member_added", (member) => {
    showMembers(channel.members);
    announce(`${member.info.name} is here.`);
  });
  channel.bind("pusher:member_removed", (member) => {
    showMembers(channel.members);
    announce(`${member.info.name} left.`);
  });
  pusher.connection.bind("state_change", ({ current }) => showState(current));
  showState(pusher.connection.state);
} else {
  showState("missing");
}
reload();

// ---- What this window changes ------------------------------------------------------------------

async function add(column, text, rank = nextRank(column)) {
  const answer = await change(() => {}, "POST", "/cards", { text, column, rank });
  if (answer) show(answer.card, { fresh: true });
  return answer;
}

function edit(id, text) {
  const card = { ...cards.get(id), text };
  return change(() => show(card), "PUT", `/cards/${id}/text`, { text });
}

function move(id, column, before = null) {
  const card = { ...cards.get(id), column, rank: rankBefore(id, column, before) };
  const moved = change(() => show(card), "PUT", `/cards/${id}/place`, { column, rank: card.rank });
  announce(`Moved to ${placeOf(id)}.`);
  return moved;
}

async function remove(id) {
  const card = cards.get(id);
  const neighbour = elementOf(id).nextElementSibling || elementOf(id).previousElementSibling;
  const gone = change(() => hide(id), "DELETE", `/cards/${id}`);
  neighbour?.focus();
  if (await gone) {
    notice("Card deleted.", { Undo: () => add(card.column, card.text, card.rank) });
  }
}

async function remind(id) {
  const answer = await change(() => {}, "POST", `/cards/${id}/reminder`, {});
  if (answer) notice(`Everybody here is reminded in ${answer.seconds} seconds.`);
}

// A card goes between two others by taking the number half-way between theirs.
function rankBefore(id, column, before) {
  const others = [...listOf(column).children].filter((element) => element.dataset.id !== id);
  const at = before ? others.indexOf(before) : others.length;
  const rank = (element) => cards.get(element.dataset.id).rank;
  if (!others.length) return 1;
  if (at === 0) return rank(others[0]) - 1;
  if (at === others.length) return rank(others[at - 1]) + 1;
  return (rank(others[at - 1]) + rank(others[at])) / 2;
}

// Behind the last card, and behind those that this window added and the server has not answered yet.
let lastGiven = 0;

function nextRank(column) {
  const last = listOf(column).lastElementChild;
  lastGiven = Math.max(lastGiven, last ? cards.get(last.dataset.id).rank : 0) + 1;
  return lastGiven;
}

function moveSideways(element, step) {
  const at = columns.indexOf(element.closest(".column")) + step;
  if (!columns[at]) return;
  move(element.dataset.id, columns[at].dataset.column);
  element.scrollIntoView({ block: "nearest", inline: "center", behavior: "smooth" });
}

function moveWithin(element, step) {
  const before = step < 0 ? element.previousElementSibling : element.nextElementSibling?.nextElementSibling;
  const neighbour = step < 0 ? element.previousElementSibling : element.nextElementSibling;
  if (neighbour) move(element.dataset.id, element.closest(".column").dataset.column, before);
}

function openEditor(element) {
  if (element.querySelector(".edit")) return;
  const form = $("edit-template").content.firstElementChild.cloneNode(true);
  const close = () => {
    form.remove();
    element.classList.remove("editing");
    element.draggable = true;
    element.focus();
  };
  form.text.value = cards.get(element.dataset.id).text;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    edit(element.dataset.id, form.text.value.trim());
    close();
  });
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.querySelector("[data-do=cancel]").addEventListener("click", close);
  element.classList.add("editing");
  element.draggable = false; // so that the text in it can be selected
  element.append(form);
  form.text.focus();
}

const actions = {
  left: (element) => moveSideways(element, -1),
  right: (element) => moveSideways(element, 1),
  remind: (element) => remind(element.dataset.id),
  edit: openEditor,
  remove: (element) => remove(element.dataset.id),
};

const keys = {
  ArrowLeft: actions.left,
  ArrowRight: actions.right,
  ArrowUp: (element) => moveWithin(element, -1),
  ArrowDown: (element) => moveWithin(element, 1),
  Enter: actions.edit,
  Delete: actions.remove,
};

$("board").addEventListener("click", (event) => {
  const button = event.target.closest(".tools [data-do]");
  if (button) actions[button.dataset.do](button.closest(".card"));
});

$("board").addEventListener("dblclick", (event) => {
  const text = event.target.closest(".card .text");
  if (text) openEditor(text.closest(".card"));
});

$("board").addEventListener("keydown", (event) => {
  if (!event.target.matches(".card") || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key](event.target);
});

$("board").addEventListener("submit", async (event) => {
  const form = event.target.closest(".add");
  if (!form) return;
  event.preventDefault();
  const text = form.text.value.trim();
  form.text.value = "";
  const added = text && (await add(form.closest(".column").dataset.column, text));
  if (!added && !form.text.value) form.text.value = text; // nothing that was typed is lost
});

$("import").addEventListener("click", async () => {
  if (!(await change(expectProgress, "POST", "/import", {}))) endProgress();
});

// Dragging, where there is a mouse. Fingers and keys use the buttons and the arrow keys.
let dragged = null;

$("board").addEventListener("dragstart", (event) => {
  if (!event.target.matches?.(".card")) return;
  dragged = event.target;
  dragged.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", cards.get(dragged.dataset.id).text);
});

$("board").addEventListener("dragover", (event) => {
  const column = event.target.closest(".column");
  if (!dragged || !column) return;
  event.preventDefault();
  mark(column, cardBelow(column, event.clientY));
});

$("board").addEventListener("drop", (event) => {
  const column = event.target.closest(".column");
  if (!dragged || !column) return;
  event.preventDefault();
  move(dragged.dataset.id, column.dataset.column, cardBelow(column, event.clientY));
});

$("board").addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  dragged = null;
  mark(null, null);
});

function cardBelow(column, y) {
  const others = [...column.querySelectorAll(".card")].filter((element) => element !== dragged);
  return others.find((element) => y < element.getBoundingClientRect().top + element.offsetHeight / 2) || null;
}

function mark(column, card) {
  for (const element of columns) element.classList.toggle("target", element === column);
  for (const element of document.querySelectorAll(".card")) element.classList.toggle("below-target", element === card);
}
