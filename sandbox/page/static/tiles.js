// One tile: its header, a placeholder while loading, and its result as numbers, table, bars or lines.
import { ask, state, write } from "./state.js";
import { barChart, timeChart, redraw } from "./charts.js";
import { show, words } from "./values.js";

export const redrawCharts = redraw;

/** An element with attributes and children; strings become text nodes. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function message(title, text) {
  return el("div", { class: "message" }, el("strong", {}, title), el("p", {}, text));
}

export async function drawTile(place, tile, tab, book, signal, path = `/api/tile/${tab}/${tile.id}`, more = {}) {
  const body = el("div", { class: "body" });
  const foot = el("p", { class: "foot quiet" });
  place.classList.toggle("numbers-tile", tile.kind === "tiles");
  const head = el("header", {}, el("h3", {}, tile.title), el("div", { class: "tools" }));
  place.replaceChildren(head, ...(tile.note ? [el("p", { class: "note quiet" }, tile.note)] : []), body, foot);
  if (tile.kind === "text") { body.append(...prose(tile.text)); place.removeAttribute("aria-busy"); return; }
  body.append(el("div", { class: `waiting ${tile.kind}`, role: "progressbar", "aria-label": `Loading ${tile.title}` }));
  try {
    const answer = await ask(path, book, signal, more);
    if (!answer.rows.length) body.replaceChildren(nothing(tile, book));
    else drawAnswer(body, answer, tile);
    const rows = `${answer.rows.length.toLocaleString("en")}${answer.more ? "+" : ""} ${answer.rows.length === 1 ? "row" : "rows"}`;
    foot.textContent = `${rows}, ${answer.seconds.toFixed(2)} s`;
    head.querySelector(".tools").append(...tools(answer, tile));
  } catch (wrong) {
    if (wrong.name === "AbortError") return;
    body.replaceChildren(message("This tile could not be loaded", wrong.message));
    place.dataset.failed = "";
  }
  place.removeAttribute("aria-busy");
}

function nothing(tile, book) {
  if (tile.asks && (state()[tile.asks] ?? "*") === "*") {
    return el("div", { class: "message empty", "data-empty": true }, el("p", {}, "Choose a person above, or click one in another tab."));
  }
  const missing = (tile.needs ?? []).filter((name) => !name.includes(" ") && !book.present.includes(name));
  const why = missing.length ? ` (${missing.join(", ")}: not in this workspace.)` : "";
  return el("div", { class: "message empty", "data-empty": true }, el("p", {}, `${tile.empty}${why}`));
}

export function drawAnswer(body, answer, tile) {
  const draw = { tiles: numbers, table, bars, timechart }[tile.kind] ?? table;
  draw(body, answer, tile);
}

function numbers(body, answer) {
  const at = Object.fromEntries(answer.columns.map((column, index) => [column.name, index]));
  body.replaceChildren(el("dl", { class: "numbers" }, ...answer.rows.map((row) => el("div", {},
    el("dt", {}, row[at.Name]),
    el("dd", {}, el("span", { class: "number" }, show(row[at.Value], "real")), " ", el("span", { class: "unit" }, row[at.Unit])),
    el("dd", { class: "quiet" }, row[at.Note])))));
}

function table(body, answer, tile) {
  const links = Object.fromEntries((tile.drill ?? []).map((one) => [one.column, one.to]));
  const largest = Object.fromEntries(answer.columns.map((column, index) => [column.name,
    Math.max(...answer.rows.map((row) => (typeof row[index] === "number" ? row[index] : 0)))]));
  const numeric = (column) => ["long", "int", "real", "decimal"].includes(column.type);
  const heads = answer.columns.map((column, index) => {
    const button = el("button", { type: "button" }, words(column.name));
    button.addEventListener("click", () => sort(index));
    return el("th", { scope: "col", class: numeric(column) ? "right" : null }, button);
  });
  const rows = el("tbody");
  const fill = (data) => rows.replaceChildren(...data.map((row) => el("tr", {}, ...row.map((value, index) =>
    cell(value, answer.columns[index], tile.columns?.[answer.columns[index].name], links, largest)))));
  let order = null;
  function sort(index) {
    const up = order?.index === index ? !order.up : false;
    order = { index, up };
    heads.forEach((head, at) => head.setAttribute("aria-sort", at === index ? (up ? "ascending" : "descending") : "none"));
    const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? "")));
    fill([...answer.rows].sort((a, b) => (up ? 1 : -1) * compare(a[index], b[index])));
  }
  fill(answer.rows);
  body.replaceChildren(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${tile.title}: table` },
    el("table", {}, el("thead", {}, el("tr", {}, ...heads)), rows)));
}

/** Text with line-break opportunities after _, @ and /. */
function breakable(text) {
  return text.split(/(?<=[_@/])/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));
}

function cell(value, column, format, links, largest) {
  const text = show(value, column.type, format, column.name);
  const full = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
  let inner = text;
  const right = ["long", "int", "real", "decimal"].includes(column.type);
  if (!right && column.type !== "datetime") inner = el("span", {}, ...breakable(text));
  const to = links[column.name];
  if (to && full) {
    inner = el("button", { type: "button", class: "link" }, ...breakable(text));
    inner.addEventListener("click", () => write({ drill: to, picked: full }));
  } else if (format === "badge" && full) {
    inner = el("span", { class: `badge ${full.toLowerCase().replace(/[^a-z]+/g, "-")}` }, text);
  } else if (format === "bar" && typeof value === "number") {
    inner = el("meter", { min: "0", max: String(largest[column.name] || 1), value: String(value), "aria-hidden": "true" });
    return el("td", { class: "right meter" }, el("span", {}, inner, el("span", {}, text)));
  }
  const long = full.length > 60 && column.type !== "datetime";
  return el("td", { class: right ? "right" : column.type === "datetime" ? "time" : long ? "long" : /[_@]/.test(full) && full.length > 16 ? "parts" : null, title: full.length > 90 ? full : null }, inner);
}

function bars(body, answer, tile) {
  barChart(body, answer, tile, (value) => {
    const link = (tile.drill ?? []).find((one) => one.column === answer.columns[0].name);
    if (link) write({ drill: link.to, picked: value });
  });
}

function timechart(body, answer, tile) {
  timeChart(body, answer, tile);
}

function tools(answer, tile) {
  const query = el("button", { type: "button", title: "Open this query in the KQL tab" }, "KQL");
  query.addEventListener("click", () => write({ tab: "kql", kql: answer.kql, drill: "", picked: "" }));
  const made = [query];
  if (tile.kind === "bars" || tile.kind === "timechart") {
    const other = el("button", { type: "button", "aria-pressed": "false" }, "Table");
    other.addEventListener("click", () => {
      const on = other.getAttribute("aria-pressed") !== "true";
      other.setAttribute("aria-pressed", String(on));
      const body = other.closest("section").querySelector(".body");
      drawAnswer(body, answer, on ? { ...tile, kind: "table" } : tile);
    });
    made.unshift(other);
  }
  if (answer.rows.length) {
    const csv = el("button", { type: "button", title: "Download the rows as CSV" }, "CSV");
    csv.addEventListener("click", () => download(answer, tile.id));
    made.push(csv);
  }
  return made;
}

export function download(answer, name) {
  // A spreadsheet would read a leading = + - @ as a formula.
  const safe = (text) => (/^[=+\-@\t]/.test(text) && !/^-?\d/.test(text) ? `'${text}` : text);
  const field = (value) => {
    const text = safe(typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? ""));
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [answer.columns.map((column) => field(column.name)), ...answer.rows.map((row) => row.map(field))];
  const url = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n")], { type: "text/csv" }));
  el("a", { href: url, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Markup of a text tile: paragraphs and lists. */
function prose(text) {
  return text.trim().split(/\n\s*\n/).map((part) => {
    const lines = part.split("\n");
    if (lines.every((line) => line.startsWith("- "))) return el("ul", {}, ...lines.map((line) => el("li", {}, line.slice(2))));
    return el("p", {}, lines.join(" "));
  });
}
