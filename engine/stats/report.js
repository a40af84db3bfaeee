(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const coarse = matchMedia("(pointer: coarse)").matches;
  const config = {
    responsive: true, displaylogo: false, doubleClick: "reset",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };
  const variable = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();

  /* Copy a part of a figure with the style sheet's colours in place of "@name". */
  const dress = (part) => {
    if (Array.isArray(part)) return part.some((item) => item && typeof item === "object") ? part.map(dress) : part;
    if (!part || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) =>
      [key, /color$/.test(key) && typeof value === "string" && value[0] === "@" ? variable(value.slice(1)) : dress(value)]));
  };

  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 1 });
  const tickvals = Array.from({ length: 24 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** (power - 9))).flat();
  const ticktext = tickvals.map((value) => (value < 1 ? String(Number(value.toPrecision(1))) : compact.format(value)));
  const logTicks = { tickvals, ticktext };
  const isLog = (element) => document.querySelector(`[data-log="${element.dataset.figure}"]`)?.checked;

  const draw = (element) => {
    const figure = figures[element.dataset.figure];
    const traces = figure.traces.map(({ at, ...trace }) =>
      ({ ...dress(trace), x: at ? at.map((place) => (place === null ? null : figure.x[place])) : figure.x }));
    const layout = dress(figure.layout);
    if (coarse) layout.dragmode = false;
    const print = root.classList.contains("print");
    if (print) { layout.width = 680; layout.height *= 0.8; }
    if (isLog(element)) Object.assign(layout.yaxis, { type: "log", tickmode: figure.log ? "array" : "auto" }, logTicks);
    const narrow = element.clientWidth < 600;
    if (figure.layout.xaxis.type === "category") {
      layout.xaxis.nticks = narrow ? 3 : 8;
      layout.xaxis.categoryorder = "array";
      layout.xaxis.categoryarray = figure.x;
    }
    const first = !element.dataset.drawn;
    element.dataset.drawn = "yes";
    Plotly.react(element, traces, layout, { ...config, displayModeBar: narrow || print ? false : "hover" });
    if (first) element.on("plotly_relayout", (change) => fit(element, figure, change));
  };

  /* After a zoom along the time, fit every price axis to what is in sight. */
  const fit = (element, figure, change) => {
    if (!Object.keys(change).some((key) => key.startsWith("xaxis."))) return;
    const update = {};
    const axes = Object.keys(figure.layout).filter((key) => key.startsWith("yaxis"));
    const time = (value) => (typeof value === "number" ? value : Date.parse(String(value).replace(" ", "T") + "Z"));
    const isDate = figure.layout.xaxis.type === "date";
    const range = change["xaxis.autorange"] ? null : element.layout.xaxis.range.map(isDate ? time : Number);
    for (const axis of axes) {
      const log = axis === "yaxis" && isLog(element);
      if (!range) {
        update[axis + ".autorange"] = true;
        if (log) update["yaxis.tickmode"] = figure.log ? "array" : "auto";
        continue;
      }
      let low = Infinity, high = -Infinity;
      figure.traces.forEach((trace, number) => {
        if ((trace.yaxis || "y").replace("y", "yaxis") !== axis || element.data[number].visible === "legendonly") return;
        const count = (trace.y || trace.close).length;
        for (let i = 0; i < count; i += 1) {
          const place = trace.at ? trace.at[i] : i;
          const x = place !== null && isDate ? figure.x[place] : place;
          if (x === null || x < range[0] || x > range[1]) continue;
          const [down, up] = trace.y ? [trace.y[i], trace.y[i]] : [trace.low[i], trace.high[i]];
          if (down !== null && down < low) low = down;
          if (up !== null && up > high) high = up;
        }
      });
      if (log) [low, high] = [Math.log10(low), Math.log10(high)];
      if (log) update["yaxis.tickmode"] = high - low < 0.9 ? "auto" : "array";
      const pad = (high - low) * 0.05 || Math.abs(high) * 0.01 || 1;
      if (low <= high) update[axis + ".range"] = [low - pad, high + pad];
    }
    Plotly.relayout(element, update);
  };

  const charts = [...document.querySelectorAll(".chart")];
  document.querySelectorAll("[data-log]").forEach((box) => box.addEventListener("change", () =>
    draw(charts.find((element) => element.dataset.figure === box.dataset.log))));
  const redraw = () => charts.filter((element) => element.dataset.drawn).forEach(draw);
  const watcher = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target);
  }), { rootMargin: "600px" });
  charts.forEach((element) => watcher.observe(element));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => { root.classList.add("print"); charts.forEach(draw); });
  addEventListener("afterprint", () => { root.classList.remove("print"); redraw(); });

  const table = document.getElementById("trades");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  };
  table.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => {
    const head = button.parentElement;
    const down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const column = head.cellIndex;
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
    body.append(...rows);
  }));
  const search = document.getElementById("trade-filter"), outcome = document.getElementById("trade-outcome");
  const shown = document.getElementById("trade-count");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      const fits = (!outcome.value || row.dataset.outcome === outcome.value) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    });
    shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };
  search.addEventListener("input", filter);
  outcome.addEventListener("change", filter);
})();
