// Bars and lines by Apache ECharts, in the page's colors; charts are redrawn when those change.
/* global echarts */
import { show, words } from "./values.js";

const drawn = new Map();
const COLOURS = 8;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const sizes = new ResizeObserver((entries) => {
  for (const entry of entries) drawn.get(entry.target)?.chart.resize();
});

/** Draw all charts anew: light became dark, or the reverse. */
export function redraw() {
  for (const [place, one] of drawn) {
    if (!place.isConnected) { forget(place); continue; }
    one.chart.setOption(one.option(), true);
  }
}

function forget(place) {
  drawn.get(place)?.chart.dispose();
  drawn.delete(place);
  sizes.unobserve(place);
}

function chart(body, height, label, option) {
  for (const place of drawn.keys()) if (!place.isConnected) forget(place);
  const place = document.createElement("div");
  place.className = `chart h${height}`;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  body.replaceChildren(place);
  const made = echarts.init(place, null, { renderer: "canvas" });
  drawn.set(place, { chart: made, option });
  made.setOption(option());
  sizes.observe(place);
  return made;
}

// Series with a good or bad meaning have the same color in every chart.
const MEANING = { weaker: "--c5", stronger: "--c3", unclear: "--c8", Failed: "--c5", Blocked: "--c2", "Set aside": "--c5", Late: "--c2" };
const meant = (name) => (MEANING[name] ? { color: css(MEANING[name]) } : {});

const color = () => Array.from({ length: COLOURS }, (_, index) => css(`--c${index + 1}`));

function base(count) {
  const quiet = css("--quiet"), line = css("--line"), text = css("--text");
  return {
    color: color(),
    animation: false,
    textStyle: { fontFamily: "inherit", color: text },
    legend: count > 1 ? { type: "scroll", bottom: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 14,
      textStyle: { color: quiet, fontSize: 12 }, pageTextStyle: { color: quiet }, pageIconColor: quiet, pageIconInactiveColor: line } : undefined,
    tooltip: { renderMode: "richText", confine: true, backgroundColor: css("--raised"), borderColor: line, textStyle: { color: text, fontSize: 12 } },
    axis: { label: { color: quiet, fontSize: 12 }, line: { lineStyle: { color: line } }, split: { lineStyle: { color: line, type: "dashed" } } },
  };
}

const compact = (value) => (Math.abs(value) >= 1e6 ? `${value / 1e6} M` : Math.abs(value) >= 1e4 ? `${value / 1e3} k` : show(value, "real"));

/** Horizontal bars: the first column names a bar, the others are stacked. */
export function barChart(body, answer, tile, onPick) {
  const names = answer.rows.map((row) => String(row[0] || "(none)"));
  const series = answer.columns.map((column, index) => ({ column, index })).slice(1)
    .filter(({ column }) => ["long", "int", "real", "decimal"].includes(column.type));
  const option = () => {
    const { axis, legend, ...rest } = base(series.length);
    return {
      ...rest, legend,
      grid: { left: 8, right: 56, top: 8, bottom: legend ? 34 : 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: { ...rest.tooltip, trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (value) => `${show(value, "real")} ${tile.unit ?? ""}` },
      xAxis: { type: "value", axisLabel: { ...axis.label, formatter: compact, hideOverlap: true }, splitLine: axis.split, splitNumber: 4 },
      yAxis: { type: "category", inverse: true, data: names, axisTick: { show: false }, axisLine: axis.line,
        axisLabel: { ...axis.label, color: css("--text"), width: 210, overflow: "truncate" } },
      series: series.map(({ column, index }, at) => ({
        name: words(column.name), type: "bar", stack: "all", barMaxWidth: 16, cursor: onPick ? "pointer" : "default",
        itemStyle: { ...meant(words(column.name)), borderRadius: at === series.length - 1 ? [0, 3, 3, 0] : 0 },
        label: at === series.length - 1 ? { show: true, position: "right", color: css("--quiet"), fontSize: 12,
          formatter: ({ dataIndex }) => show(series.reduce((sum, one) => sum + (answer.rows[dataIndex][one.index] ?? 0), 0), "real") } : undefined,
        data: answer.rows.map((row) => row[index] ?? 0),
      })),
    };
  };
  const height = names.length <= 4 ? "1" : names.length <= 8 ? "2" : names.length <= 12 ? "3" : "4";
  const made = chart(body, height, `${tile.title}: ${names.length} bars, in ${tile.unit ?? "numbers"}. The button Table shows the values.`, option);
  made.on("click", (event) => onPick?.(String(answer.rows[event.dataIndex][0])));
}

/** Values over time: a datetime column, an optional text column that parts the series, and numbers. */
export function timeChart(body, answer, tile) {
  const time = answer.columns.findIndex((column) => column.type === "datetime");
  const parting = answer.columns.findIndex((column) => column.type === "string");
  const values = answer.columns.map((column, index) => ({ column, index })).filter(({ column }) => ["long", "int", "real"].includes(column.type));
  const moments = [...new Set(answer.rows.map((row) => row[time]))].sort();
  const steps = moments.slice(1).map((moment, index) => Date.parse(moment) - Date.parse(moments[index]));
  const step = Math.min(...steps, 7 * 86_400_000);
  const lines = new Map();
  for (const row of answer.rows) {
    for (const { column, index } of values) {
      const name = parting < 0 ? words(column.name) : String(row[parting] || "(none)") + (values.length > 1 ? ` ${words(column.name)}` : "");
      if (!lines.has(name)) lines.set(name, new Map());
      lines.get(name).set(row[time], row[index] ?? 0);
    }
  }
  const total = (line) => [...line.values()].reduce((sum, value) => sum + value, 0);
  const ordered = [...lines].sort((a, b) => total(b[1]) - total(a[1]));
  const stacked = parting >= 0;
  const option = () => {
    const { axis, legend, ...rest } = base(ordered.length);
    return {
      ...rest, legend,
      grid: { left: 8, right: 16, top: 14, bottom: legend ? 34 : 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: { ...rest.tooltip, trigger: "axis", axisPointer: { type: "line" }, valueFormatter: (value) => `${show(value, "real")} ${tile.unit ?? ""}` },
      xAxis: { type: "time", axisLabel: { ...axis.label, hideOverlap: true, formatter: step < 86_400_000 ? "{d} {MMM} {HH}:{mm}" : "{d} {MMM}" }, axisLine: axis.line, minInterval: step },
      yAxis: { type: "value", axisLabel: { ...axis.label, formatter: compact }, splitLine: axis.split, splitNumber: 4, minInterval: stacked ? 1 : 0 },
      useUTC: true,
      series: ordered.map(([name, line]) => ({
        name, type: stacked ? "bar" : "line", stack: stacked ? "all" : undefined, itemStyle: meant(name), showSymbol: moments.length < 12, symbolSize: 7, barMaxWidth: 26, barCategoryGap: "25%",
        data: moments.map((moment) => [moment, line.get(moment) ?? 0]),
      })),
    };
  };
  chart(body, "3", `${tile.title}: ${ordered.length} series over time, in ${tile.unit ?? "numbers"}. The button Table shows the values.`, option);
}
