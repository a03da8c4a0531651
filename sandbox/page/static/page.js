// The page: tabs, parameters, and tiles, each drawn when its result arrives. State is kept in the URL.
import { ask, get, state, write, onChange } from "./state.js";
import { drawTile, el, message, redrawCharts } from "./tiles.js";
import { drawKql } from "./kql.js";
import { drawRules } from "./rules.js";

const EXTRA = [
  { slug: "rules", title: "Rules", question: "Which rules would have fired in this period?" },
  { slug: "kql", title: "KQL", question: "Run any KQL query." },
];
const main = document.getElementById("main");
let book, running;

start().catch((wrong) => main.replaceChildren(message("The page could not be loaded", String(wrong.message ?? wrong))));

async function start() {
  theme();
  book = await get("/api/page");
  document.getElementById("title").textContent = book.title;
  document.title = book.title;
  const when = new Date(book.asOf).toISOString().slice(0, 16).replace("T", " ");
  document.getElementById("facts").textContent = `${book.workspace}, as of ${when} UTC, read only`;
  drawTabs();
  drawParameters();
  onChange(show);
  document.getElementById("copy-link").addEventListener("click", copyLink);
  document.getElementById("drill").addEventListener("close", () => write({ drill: "", picked: "" }));
  await show();
}

const tabs = () => [...book.tabs, ...EXTRA];
const current = () => tabs().find((tab) => tab.slug === state().tab) ?? tabs()[0];

function drawTabs() {
  const list = document.getElementById("tabs");
  list.replaceChildren(...tabs().map((tab) => {
    const button = el("button", { type: "button", role: "tab", id: `tab-${tab.slug}`, "aria-controls": "main" }, tab.title);
    button.addEventListener("click", () => write({ tab: tab.slug, drill: "", picked: "" }));
    return button;
  }));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...list.children];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.focus();
    next.click();
  });
}

function drawParameters() {
  const form = document.getElementById("parameters");
  form.replaceChildren(...book.parameters.map((one) => {
    const id = `parameter-${one.name}`;
    const field = one.kind === "lookback" ? el("select", { id, name: one.name },
      ...book.lookbacks.map((span) => el("option", { value: span }, spanWords(span))))
      : one.kind === "choice" ? el("select", { id, name: one.name }, el("option", { value: "*" }, "All"))
      : el("input", { id, name: one.name, type: one.kind === "until" ? "date" : "search", autocomplete: "off" });
    field.addEventListener("change", () => write({ [one.name]: field.value.trim() || one.default }));
    return el("label", { for: id, title: one.help }, el("span", {}, one.label), field);
  }));
  const reset = el("button", { type: "button" }, "Reset");
  reset.addEventListener("click", () => write(Object.fromEntries(book.parameters.map((one) => [one.name, one.default]))));
  form.append(reset);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const one of book.parameters.filter((each) => each.choices)) choices(one);
}

async function choices(one) {
  const field = document.getElementById(`parameter-${one.name}`);
  try {
    const answer = await ask(`/api/choices/${one.name}`, book);
    const options = answer.rows.map(([value, label]) => el("option", { value }, String(label)));
    if (one.kind === "choice") {
      field.replaceChildren(...options);
    } else {
      const list = el("datalist", { id: `choices-${one.name}` }, ...options);
      field.setAttribute("list", list.id);
      field.after(list);
    }
    fill();
  } catch { /* the field stays free text, or All */ }
}

function fill() {
  const now = state();
  for (const one of book.parameters) {
    const field = document.getElementById(`parameter-${one.name}`);
    const value = now[one.name] ?? one.default;
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) {
      field.append(el("option", { value }, value));
    }
    field.value = value === "*" && field.tagName === "INPUT" ? "" : value;
    if (field.tagName === "INPUT" && one.kind === "text") field.placeholder = "everyone";
  }
}

let shown = "";
async function show() {
  fill();
  const tab = current();
  for (const button of document.getElementById("tabs").children) {
    const on = button.id === `tab-${tab.slug}`;
    button.setAttribute("aria-selected", String(on));
    button.tabIndex = on ? 0 : -1;
    if (on) button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  main.setAttribute("aria-labeledby", `tab-${tab.slug}`);
  const { drill, picked, kql, ...rest } = state();
  const key = JSON.stringify({ ...rest, tab: tab.slug });
  if (key !== shown || tab.slug === "kql") {
    shown = key;
    await draw(tab);
  }
  await showDrill(drill, picked);
}

async function draw(tab) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const head = el("div", { class: "question" }, el("h2", {}, tab.title), el("p", { class: "quiet" }, tab.question));
  const grid = el("div", { class: "grid" });
  main.replaceChildren(head, grid);
  document.getElementById("parameters").hidden = tab.slug === "kql";
  if (tab.slug === "kql") return drawKql(grid, book, signal);
  if (tab.slug === "rules") return drawRules(grid, book, signal, progress);
  const places = tab.tiles.map((tile) => {
    const place = el("section", { class: `tile ${tile.width}`, id: `tile-${tile.id}`, "aria-busy": "true" });
    grid.append(place);
    return [tile, place];
  });
  let done = 0;
  progress(done, places.length);
  await Promise.all(places.map(async ([tile, place]) => {
    await drawTile(place, tile, tab.slug, book, signal);
    if (!signal.aborted) progress(++done, places.length);
  }));
}

function progress(done, all) {
  document.getElementById("progress").textContent = done < all ? `${done} of ${all} tiles` : "";
  document.body.toggleAttribute("data-ready", done >= all);
}

async function showDrill(name, picked) {
  const dialog = document.getElementById("drill");
  if (!name) { if (dialog.open) dialog.close(); return; }
  const drill = book.drills.find((one) => one.name === name);
  if (!drill) return;
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "Close");
  close.addEventListener("click", () => dialog.close());
  const actions = el("div", { class: "actions" });
  if (drill.tab && picked) {
    const target = book.tabs.find((tab) => tab.slug === drill.tab);
    const open = el("button", { type: "button", class: "primary" }, `Open in ${target.title}`);
    open.addEventListener("click", () => write({ tab: drill.tab, [drill.parameter]: picked, drill: "", picked: "" }));
    actions.append(open);
  }
  actions.append(close);
  const place = el("section", { class: "tile full", id: "tile-drill" });
  dialog.replaceChildren(
    el("div", { class: "dialog-head" }, el("div", {}, el("h2", { id: "drill-title" }, drill.title), el("p", { class: "mono" }, picked)), actions),
    place);
  if (!dialog.open) dialog.showModal();
  const tile = { id: "rows", title: "Rows", kind: "table", columns: { Result: "badge" }, drill: [], needs: [],
    empty: "No rows in this period.", note: null };
  await drawTile(place, tile, null, book, undefined, `/api/drill/${name}`, { picked });
}

async function copyLink() {
  const button = document.getElementById("copy-link");
  await navigator.clipboard.writeText(location.href).then(() => { button.textContent = "Copied"; },
    () => { button.textContent = "Copy it from the address bar"; });
  setTimeout(() => { button.textContent = "Copy link"; }, 2000);
}

function theme() {
  const button = document.getElementById("theme");
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
    label();
    redrawCharts();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { label(); redrawCharts(); });
  label();
}

function spanWords(span) {
  const days = Number.parseInt(span, 10);
  return days === 1 ? "1 day" : days === 365 ? "1 year" : `${days} days`;
}
