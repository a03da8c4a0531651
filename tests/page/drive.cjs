// Drives Debian's Chromium over the page and tells, as one JSON value, what was there. One argument: the task as JSON.
const path = require("path");
const { chromium } = require("playwright-core");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const task = JSON.parse(process.argv[2]);
const found = { console: [], outside: [], failed: [], tabs: {}, shots: [] };

main().then(() => process.stdout.write(JSON.stringify(found)), (wrong) => { console.error(wrong); process.exitCode = 1; });

async function main() {
  const browser = await chromium.launch({ executablePath: task.browser, args: FLAGS });
  try {
    const light = await open(browser, "light");
    await tabs(light, "light");
    await drilling(light);
    await parameters(light);
    await kql(light);
    await keyboard(light);
    await rules(light);
    const dark = await open(browser, "dark");
    await tabs(dark, "dark");
    await theme(dark);
  } finally {
    await browser.close();
  }
}

async function open(browser, colorScheme) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.on("console", (said) => { if (["error", "warning"].includes(said.type())) found.console.push(said.text()); });
  page.on("pageerror", (wrong) => found.console.push(String(wrong)));
  page.on("request", (asked) => { if (!/^(http:\/\/127\.0\.0\.1:|data:|blob:)/.test(asked.url())) found.outside.push(asked.url()); });
  page.on("requestfailed", (asked) => { if (asked.failure().errorText !== "net::ERR_ABORTED") found.failed.push(asked.url()); });
  await page.goto(task.address);
  await page.waitForSelector("#tabs button");
  return page;
}

const ready = (page) => page.waitForFunction(() => document.body.hasAttribute("data-ready"), null, { timeout: 60_000 });

let visits = 0;

async function go(page, hash) {
  // A number makes each visit another one: the page rightly does nothing when its address stays the same.
  await page.evaluate((to) => { document.body.removeAttribute("data-ready"); location.hash = to; }, `${hash}&visit=${++visits}`);
  await ready(page);
}

async function tabs(page, theme) {
  const slugs = await page.$$eval("#tabs button", (all) => all.map((one) => one.id.replace("tab-", "")));
  const person = await somebody(page);
  for (const slug of slugs.filter((one) => !["kql", "rules"].includes(one))) {
    await go(page, `tab=${slug}&TimeRange=30d${slug === "person" ? `&Person=${person}` : ""}`);
    if (theme === "light") found.tabs[slug] = await tiles(page);
    await shot(page, `${slug}-${theme}`);
  }
}

/** Per tile: data, a reason why there is none, or a failure. */
function tiles(page) {
  return page.$$eval("main .tile", (all) => all.map((tile) => ({
    id: tile.id.replace("tile-", ""),
    state: tile.hasAttribute("data-failed") ? "failed" : tile.querySelector("[data-empty]") ? "empty"
      : tile.querySelector("canvas, tbody tr, .numbers dt, .body > p") ? "data" : "nothing",
    busy: tile.getAttribute("aria-busy"),
    text: tile.querySelector(".body").innerText.slice(0, 300),
  })));
}

async function shot(page, name) {
  const file = path.join(task.shots, `${name}.png`);
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
  await page.screenshot({ path: file });
  found.shots.push(path.basename(file));
}

async function somebody(page) {
  await page.waitForFunction(() => document.querySelectorAll("#choices-Person option").length > 0, null, { timeout: 60_000 });
  return page.$eval("#choices-Person option", (option) => option.value);
}

async function drilling(page) {
  await go(page, "tab=overview&TimeRange=30d");
  await page.click("#tile-by-category button.link");
  await page.waitForSelector("#drill[open] tbody tr");
  found.drill = { title: await page.textContent("#drill-title"), rows: await page.$$eval("#drill tbody tr", (all) => all.length), hash: await page.evaluate(() => location.hash) };
  await shot(page, "drill-light");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.getElementById("drill").open);
  found.drill.closed = await page.evaluate(() => location.hash);

  await page.click("#tile-riskiest td:nth-child(4) button.link");
  await page.waitForSelector("#drill[open] tbody tr");
  await page.click("#drill button.primary");
  await page.waitForFunction(() => document.querySelector("#tab-person").getAttribute("aria-selected") === "true");
  await ready(page);
  found.person = { field: await page.inputValue("#parameter-Person"), tiles: await tiles(page) };

  await go(page, "tab=overview&TimeRange=30d");
  await page.click("#tile-failed .chart canvas", { position: { x: 320, y: 20 } });
  await page.waitForSelector("#drill[open]");
  found.bar = await page.evaluate(() => location.hash);
  await page.keyboard.press("Escape");
}

async function parameters(page) {
  const activities = () => page.$eval("#tile-totals .number", (one) => one.textContent);
  await go(page, "tab=overview&TimeRange=30d");
  found.parameters = { month: await activities() };
  await page.evaluate(() => document.body.removeAttribute("data-ready"));
  await page.selectOption("#parameter-TimeRange", "7d");
  await ready(page);
  found.parameters.week = await activities();
  found.parameters.hash = await page.evaluate(() => location.hash);
  await page.reload();
  await ready(page);
  found.parameters.again = await activities();
  found.parameters.kept = await page.inputValue("#parameter-TimeRange");
  await page.evaluate(() => document.body.removeAttribute("data-ready"));
  await page.selectOption("#parameter-Organization", { index: 1 });
  await ready(page);
  found.parameters.organization = await activities();
  await go(page, "tab=overview&TimeRange=1d&Until=2020-01-01");
  found.parameters.refused = await page.$eval("#tile-totals .message", (one) => one.innerText);
}

async function kql(page) {
  await page.evaluate(() => { location.hash = "tab=kql"; });
  await page.waitForSelector("#kql-answer tbody tr");
  await page.fill("#kql", "ClaudeActivity | summarize Activities = count() by bin(EventTime, 1d)");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => /rows/.test(document.getElementById("kql-status").textContent) && document.querySelector("#kql-answer thead").innerText.includes("Event time"));
  found.kql = { rows: await page.$$eval("#kql-answer tbody tr", (all) => all.length) };
  await page.click("text=Chart");
  await page.waitForSelector("#kql-answer canvas");
  await shot(page, "kql-light");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("main >> text=CSV")]);
  found.kql.file = file.suggestedFilename();
  await page.click("text=Copy link to this query");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.goto("about:blank");
  await page.goto(link);
  await page.waitForSelector("#kql-answer tbody tr");
  found.kql.linked = await page.inputValue("#kql");
  await page.fill("#kql", "ClaudeActivity | where NoSuchColumn == 1");
  await page.click("#kql-run");
  await page.waitForSelector("#kql-answer .message");
  found.kql.refused = await page.textContent("#kql-answer .message");
}

async function keyboard(page) {
  await go(page, "tab=overview&TimeRange=30d");
  await page.focus("#tab-overview");
  await page.evaluate(() => document.body.removeAttribute("data-ready"));
  await page.keyboard.press("ArrowRight");
  await ready(page);
  found.keyboard = { focused: await page.evaluate(() => document.activeElement.id), shown: await page.textContent("main h2"),
    unnamed: await page.$$eval("button, input, select, textarea", (all) => all.filter((one) =>
      !one.innerText?.trim() && !one.getAttribute("aria-label") && !one.labels?.length).map((one) => one.outerHTML)) };
}

async function rules(page) {
  await go(page, "tab=rules&TimeRange=30d");
  found.rules = { listed: await page.$$eval(".rule", (all) => all.length), summary: await page.textContent("#rules").then((text) => text.slice(0, 400)),
    unsettled: await page.$$eval(".rule .waiting-badge", (all) => all.length) };
  const first = await page.$(".rule summary");
  if (first) { await first.click(); await page.waitForSelector(".rule[open] h4"); }
  await shot(page, "rules-light");
}

async function theme(page) {
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  found.theme = { dark: await back() };
  await page.click("#theme");
  found.theme.light = await back();
  await page.reload();
  await page.waitForSelector("#tabs button");
  found.theme.kept = await back();
}
