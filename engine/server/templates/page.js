"use strict";
/* Shared by all pages: what the workers do, as it changes, and actions, which are confirmed. */
const csrf = document.querySelector("meta[name=csrf-token]").content;
const byId = (id) => document.getElementById(id);
const say = (text) => { byId("said").textContent = text; };

const TEXTS = {
  "no-entries": "enters no positions until it is resumed. Exits go on.",
  cancel: "enters no positions until it is resumed, and entry orders are cancelled. Exits go on.",
  flatten: "enters no positions until it is resumed, and its position is closed at the market.",
  kill: "cancels its entry orders and ends. Its position and protective orders stay.",
  pause: "enters no positions until it is resumed. Exits go on.",
  resume: "enters positions again.",
  stop: "is stopped. Its orders and its position stay as they are.",
  start: "is started.",
};

function confirmed(title, text, action) {
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = action;
  const dialog = byId("confirm");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), {once: true}));
}

async function send(method, path, body) {
  const headers = {"X-CSRF-Token": csrf};
  if (body) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(path, {method, headers, body: body && JSON.stringify(body), redirect: "manual"});
    if (answer.type === "opaqueredirect") return {};
    const found = await answer.json();
    if (!answer.ok) return {error: found.error};
    const errors = Object.values(found.answers || {}).filter(Boolean);
    return errors.length ? {error: errors.join(" ")} : found;
  } catch (error) {
    return {error: "The server does not answer."};
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const {kill, verb, name} = button.dataset;
  if (button.dataset.post || button.dataset.delete) {
    const found = await send(button.dataset.post ? "POST" : "DELETE", button.dataset.post || button.dataset.delete);
    if (found.error) say(found.error);
    else location.href = button.dataset.then || location.href;
    return;
  }
  if (!kill && !verb) return;
  const group = button.closest("[data-key]");
  const key = group && group.dataset.key;
  const money = group && group.dataset.mode === "live" ? " It trades real money." : "";
  const text = TEXTS[kill === "stop" ? "kill" : kill || verb];
  const who = key ? `The worker '${key}'` : "Each worker that runs, with real money too,";
  if (!await confirmed(`${name}: ${key || "all workers"}?`, `${who} ${text}${money}`, name)) return;
  say(`${name}: asked.`);
  const path = key ? `/workers/${encodeURIComponent(key)}/` : "/";
  const found = await send("POST", path + (kill ? "kill" : verb), kill ? {verb: kill} : null);
  say(found.error ? found.error : `${name}: done.`);
});

/* -------------------------------------------------------------------------------------------- what the workers do */

const FORMATS = {
  position: (value) => value.toLocaleString("en", {maximumSignificantDigits: 6}),
  pnl_today: (value) => (value < 0 ? "" : "+") + value.toLocaleString("en", {minimumFractionDigits: 2, maximumFractionDigits: 2}),
  feed_age_s: (value) => Math.round(value).toLocaleString("en") + " s ago",
};

function fill(part, values) {
  for (const node of part.querySelectorAll("[data-field]")) {
    const field = node.dataset.field, value = values[field];
    const text = value === null || value === undefined ? (field === "feed_age_s" ? "never" : "") : (FORMATS[field] || String)(value);
    if (node.textContent !== text) node.textContent = text;
    if (field === "state") node.dataset.value = value;
    if (field === "pnl_today") node.style.color = value > 0 ? "var(--up)" : value < 0 ? "var(--down)" : "";
  }
}

let heardAt = Date.now(), shownAt = heardAt, shown = {}, isSilent = false;

function show(workers) {
  if (typeof workers.error === "string") return say(workers.error);
  shown = workers;
  shownAt = Date.now();
  const parts = [...document.querySelectorAll("[data-worker]")];
  for (const part of parts) if (workers[part.dataset.worker]) fill(part, workers[part.dataset.worker]);
  const listed = parts.filter((part) => part.tagName === "TR").map((part) => part.dataset.worker);
  const isList = location.pathname === "/";
  if (isList && (Object.keys(workers).some((key) => !listed.includes(key)) || listed.some((key) => !workers[key]))) location.reload();
}

/* Ages go on by themselves, and silence is told: a server that hangs or a dead line sends no error. */
const SILENT_MS = 10000, AGAIN_MS = 30000;
let source = null;

function listen() {
  if (source) source.close();
  source = new EventSource("/stream");
  const heard = () => { heardAt = Date.now(); };
  source.onmessage = (event) => { heard(); show(JSON.parse(event.data)); };
  source.addEventListener("beat", heard);
  source.onerror = () => sayLost("The server does not answer; trying again.");
  source.onopen = () => { heard(); sayFound(); };
}

/* What became of an action stays when the server is heard again. */
let lost = "";
function sayLost(text) { lost = text; say(text); }
function sayFound() { if (lost && byId("said").textContent === lost) say(""); lost = ""; }

function tick() {
  const now = Date.now(), silentMs = now - heardAt;
  for (const node of document.querySelectorAll("[data-worker] [data-field=feed_age_s]")) {
    const values = shown[node.closest("[data-worker]").dataset.worker];
    if (values && typeof values.feed_age_s === "number") node.textContent = FORMATS.feed_age_s(values.feed_age_s + (now - shownAt) / 1000);
  }
  const wasSilent = isSilent;
  isSilent = silentMs > SILENT_MS;
  document.body.classList.toggle("stale", isSilent);
  if (isSilent) sayLost(`The server has been silent for ${Math.round(silentMs / 1000)} s. What is shown is from then.`);
  else if (wasSilent) sayFound();
  if (isSilent && Math.floor(silentMs / AGAIN_MS) > Math.floor((silentMs - 1000) / AGAIN_MS)) listen();
}

if (document.querySelector("[data-worker]") || location.pathname === "/") {
  listen();
  setInterval(tick, 1000);
}
