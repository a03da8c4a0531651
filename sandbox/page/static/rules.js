// The rules: what each would have found in the selected period, most severe first.
import { ask, get, write } from "./state.js";
import { drawAnswer, el, message } from "./tiles.js";

export async function drawRules(grid, book, signal, progress) {
  const place = el("section", { class: "tile full", id: "rules", "aria-busy": "true" });
  grid.append(place);
  const { rules, problems } = await get("/api/rules", { signal });
  place.append(el("p", { class: "note quiet" },
    "Each rule's query over all activities of the period, as if they had just been ingested. In Sentinel a rule runs every few minutes over new activities."));
  for (const problem of problems) place.append(message("A rule file is invalid", problem));
  if (!rules.length) {
    place.append(el("div", { class: "message empty", "data-empty": true }, el("p", {}, "No rules in sentinel/rules.")));
    place.removeAttribute("aria-busy");
    progress(1, 1);
    return;
  }
  const summary = el("p", { class: "summary", role: "status" });
  const list = el("div", { class: "rules" });
  place.append(summary, list);
  const rows = rules.map((rule) => row(rule));
  list.append(...rows.map((one) => one.place));
  let done = 0, fired = 0;
  progress(done, rules.length);
  const next = async () => {
    for (let at = queue.shift(); at !== undefined && !signal.aborted; at = queue.shift()) {
      const { rule, verdict, body } = rows[at];
      try {
        const answer = await ask(`/api/rules/${rule.slug}`, book, signal);
        const count = answer.rows.length;
        fired += count ? 1 : 0;
        verdict.textContent = count ? `${count}${answer.more ? "+" : ""} ${count === 1 ? "alert" : "alerts"}` : "no alerts";
        verdict.className = `badge ${count ? rule.severity.toLowerCase() : "quiet-badge"}`;
        body.answer = answer;
      } catch (wrong) {
        if (wrong.name === "AbortError") return;
        verdict.textContent = "failed here";
        verdict.title = wrong.message;
        verdict.className = "badge not-run";
        body.refused = wrong.message;
      }
      summary.textContent = `${fired} of ${rules.length} rules would have fired`;
      progress(++done, rules.length);
    }
  };
  const queue = rules.map((_, index) => index);
  await Promise.all([next(), next()]);
  place.removeAttribute("aria-busy");
}

function row(rule) {
  const verdict = el("span", { class: "badge waiting-badge" }, "waiting");
  const body = el("div", { class: "body" });
  const place = el("details", { class: "rule", id: `rule-${rule.slug}` },
    el("summary", {}, el("span", { class: `badge ${rule.severity.toLowerCase()}` }, rule.severity), el("span", { class: "name" }, rule.name.replace("Claude - ", "")),
      el("span", { class: "quiet" }, `${rule.tactics.join(", ")} ${rule.techniques.join(", ")}`), verdict), body);
  place.addEventListener("toggle", () => {
    if (!place.open) return;
    const open = el("button", { type: "button" }, "KQL");
    open.addEventListener("click", () => write({ tab: "kql", kql: rule.query }));
    const answer = el("div", {});
    body.replaceChildren(el("p", {}, rule.description), el("p", { class: "quiet" }, `Runs every ${rule.every}, looks back ${rule.back}.`), answer,
      el("h4", {}, "What to do"), el("pre", {}, rule.runbook), open);
    if (body.refused) answer.append(message("The local engine does not run this rule", body.refused));
    else if (body.answer?.rows.length) drawAnswer(answer, body.answer, { title: rule.name, kind: "table", columns: {}, drill: [{ column: "ActorEmail", to: "person" }, { column: "ActorIp", to: "address" }] });
    else answer.append(el("p", { class: "quiet" }, body.answer ? "It would not have fired in this period." : "Not asked yet."));
  });
  return { rule, verdict, body, place };
}
