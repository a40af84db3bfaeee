"use strict";
/* The page of a worker: its chart, why it did what, orders, trades and log. */
const KEY = document.querySelector("[data-worker]").dataset.worker;
const PATH = `/workers/${encodeURIComponent(KEY)}`;
const EVERY_MS = 3000, BARS = 150, MOST_LINES = 500;
const COLUMNS = {
  orders: ["decided", "symbol", "side", "quantity", "order_type", "price", "fill_price", "status", "reason"],
  trades: ["entry", "exit", "symbol", "side", "quantity", "entry_price", "exit_price", "pnl", "exit_reason"],
};
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/* Copy a part of a figure with the style sheet's colours in place of "@name". */
function dress(part) {
  if (Array.isArray(part)) return part.some((item) => item && typeof item === "object") ? part.map(dress) : part;
  if (!part || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) =>
    [key, /color$/.test(key) && typeof value === "string" && value[0] === "@" ? color(value.slice(1)) : dress(value)]));
}

let shownBars = 0;
function draw(figure) {
  const count = figure.x.length;
  const traces = figure.traces.map(({at, ...trace}) =>
    ({...dress(trace), x: at ? at.map((place) => (place === null ? null : figure.x[place])) : figure.x}));
  const layout = dress(figure.layout);
  layout.uirevision = "kept";
  layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "pan";
  Object.assign(layout.xaxis, {categoryorder: "array", categoryarray: figure.x, nticks: innerWidth < 640 ? 3 : 8});
  if (shownBars !== count) layout.xaxis.range = [Math.max(-0.5, count - BARS - 0.5), count - 0.5];
  shownBars = count;
  const first = Math.max(0, count - BARS);
  for (const axis of Object.keys(layout).filter((name) => name.startsWith("yaxis"))) {
    const values = figure.traces.filter((trace) => (trace.yaxis || "y").replace("y", "yaxis") === axis && trace.visible !== "legendonly")
      .flatMap((trace) => [trace.y, trace.low, trace.high].filter(Boolean).flatMap((column) =>
        column.filter((value, place) => value !== null && (trace.at ? trace.at[place] : place) >= first)));
    const low = Math.min(...values), high = Math.max(...values), pad = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
    if (values.length) layout[axis] = {...layout[axis], range: [low - pad, high + pad]};
  }
  Plotly.react("chart", traces, layout, {responsive: true, displaylogo: false, displayModeBar: false});
}

function cell(name, value) {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? value.toLocaleString("en", {maximumFractionDigits: 6}) : String(value).replaceAll("_", " ");
}

function table(id, rows) {
  const node = byId(id), names = COLUMNS[id];
  const head = document.createElement("tr");
  for (const name of names) {
    const th = document.createElement("th");
    th.scope = "col";
    th.textContent = name.replaceAll("_", " ");
    head.append(th);
  }
  node.tHead.replaceChildren(head);
  node.tBodies[0].replaceChildren(...rows.map((row) => {
    const tr = document.createElement("tr");
    for (const name of names) tr.insertCell().textContent = cell(name, row[name]);
    return tr;
  }));
}

function why(bars) {
  byId("why").replaceChildren(...bars.map((bar) => {
    const li = document.createElement("li"), time = document.createElement("time");
    time.textContent = bar.time + ": ";
    li.append(time, bar.sentences.join(" "));
    return li;
  }));
}

let last = "";
async function look() {
  if (document.querySelector(".state").dataset.value === "created") {
    byId("view-note").textContent = "The worker has not begun yet.";
  } else if (!document.hidden) {
    try {
      const answer = await fetch(PATH + "/view"), text = await answer.text();
      if (text !== last) {
        last = text;
        const found = JSON.parse(text);
        byId("view-note").textContent = found.error || "Times are those of the exchange. Drag the chart to see earlier bars.";
        if (!found.error) { draw(found.figure); why(found.why); table("orders", found.orders); table("trades", found.trades); }
      }
    } catch (error) {
      byId("view-note").textContent = "The server does not answer; trying again.";
    }
  }
  setTimeout(look, EVERY_MS);
}

function follow() {
  const list = byId("log");
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${PATH}/logs`);
  socket.onopen = () => list.replaceChildren();
  socket.onmessage = (event) => {
    const line = JSON.parse(event.data), li = document.createElement("li");
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
    li.className = line.level || "";
    li.textContent = line.type === "skipped" ? `${line.lines} lines were skipped.`
      : `${(line.timestamp || "").slice(11, 19)} ${line.level} ${line.message}`;
    list.append(li);
    while (list.childElementCount > MOST_LINES) list.firstElementChild.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  };
  socket.onclose = () => setTimeout(follow, EVERY_MS);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { last = ""; });
look();
follow();
