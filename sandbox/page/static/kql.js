// The KQL box: a query, its rows, an optional chart, a link and a CSV export.
import { get, state } from "./state.js";
import { download, drawAnswer, el, message } from "./tiles.js";

const FIRST = "ClaudeActivity\n| summarize Activities = count() by Category, Result\n| order by Activities desc";

export function drawKql(grid, book, signal) {
  const text = el("textarea", { id: "kql", spellcheck: "false", rows: "10", "aria-label": "KQL query" });
  text.value = state().kql ?? FIRST;
  const run = el("button", { type: "button", class: "primary", id: "kql-run" }, "Run");
  const stop = el("button", { type: "button", disabled: true }, "Stop");
  const chart = el("button", { type: "button", "aria-pressed": "false", disabled: true }, "Chart");
  const link = el("button", { type: "button" }, "Copy link to this query");
  const csv = el("button", { type: "button", disabled: true }, "CSV");
  const status = el("span", { class: "quiet", role: "status", id: "kql-status" }, "Ctrl+Enter to run");
  const body = el("div", { class: "body" });
  const names = el("details", {}, el("summary", {}, `${book.functions.length} functions and ${book.tables.length} tables available`),
    el("p", { class: "mono" }, [...book.functions, ...book.tables].join("  ")));
  grid.append(el("section", { class: "tile full kql" }, text,
    el("div", { class: "actions" }, run, stop, chart, csv, link, status), names), el("section", { class: "tile full", id: "kql-answer" }, body));
  let answer = null, asking = null;

  async function ask() {
    asking?.abort();
    asking = new AbortController();
    const mine = asking;
    signal.addEventListener("abort", () => mine.abort());
    history.replaceState(null, "", `#${new URLSearchParams({ ...state(), kql: text.value })}`);
    stop.disabled = false;
    status.textContent = "running";
    body.replaceChildren(el("div", { class: "waiting table", role: "progressbar", "aria-label": "The query is running" }));
    try {
      answer = await get("/api/kql", { method: "POST", body: JSON.stringify({ query: text.value }), signal: mine.signal });
      status.textContent = `${answer.rows.length.toLocaleString("en")}${answer.more ? "+" : ""} rows, ${answer.seconds.toFixed(2)} s`;
      show(wantsChart(answer));
    } catch (wrong) {
      answer = null;
      if (mine !== asking) return;
      const place = wrong.line ? ` (line ${wrong.line}, column ${wrong.column})` : "";
      status.textContent = wrong.name === "AbortError" ? "stopped" : "";
      body.replaceChildren(...(wrong.name === "AbortError" ? [] : [message("The query failed", wrong.message + place)]));
    }
    stop.disabled = true;
    chart.disabled = csv.disabled = !answer?.rows.length;
  }

  const kind = () => (answer.columns.some((column) => column.type === "datetime") ? "timechart" : "bars");
  const wantsChart = (found) => /\|\s*render\b/.test(text.value) && found.rows.length > 0;
  function show(asChart) {
    chart.setAttribute("aria-pressed", String(asChart));
    if (!answer.rows.length) { body.replaceChildren(el("div", { class: "message empty" }, el("p", {}, "No rows."))); return; }
    drawAnswer(body, answer, { id: "kql", title: "Answer", kind: asChart ? kind() : "table", columns: {}, drill: [] });
  }

  run.addEventListener("click", ask);
  stop.addEventListener("click", () => asking?.abort());
  chart.addEventListener("click", () => show(chart.getAttribute("aria-pressed") !== "true"));
  csv.addEventListener("click", () => download(answer, "answer"));
  link.addEventListener("click", async () => {
    history.replaceState(null, "", `#${new URLSearchParams({ ...state(), kql: text.value })}`);
    await navigator.clipboard.writeText(location.href).then(() => { status.textContent = "link copied"; }, () => { status.textContent = "copy it from the address bar"; });
  });
  text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); } });
  return ask();
}
