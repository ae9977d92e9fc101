// Shows what a replay found: the definition that was tried beside the live one, by who left.

const TITLES = {
  pr_auc: "Finds those who leave (PR-AUC)", roc_auc: "Ranks who leaves above who stays (ROC-AUC)",
  lift: "Lift of the worst tenth", green_at_churn: "Green when they left", warned: "Warned before they left",
  warning_lead: "Warned so many days ahead", alerts_per_csm_week: "Alerts a CSM and week", coverage: "Coverage",
  withheld: "Without a score",
};
const SHARES = new Set(["green_at_churn", "warned", "coverage", "withheld"]);

function said(name, value) {
  if (value === null || value === undefined) return "–";
  if (SHARES.has(name)) return `${(value * 100).toFixed(0)} %`;
  return name === "warning_lead" ? `${value.toFixed(0)} days` : value.toFixed(name.endsWith("auc") ? 3 : 1);
}

function made(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function table(found) {
  const [tried, live] = found.candidates;
  const element = made("table");
  const head = element.createTHead().insertRow();
  for (const text of ["Figure", "Tried", "Live", "Verdict"]) head.append(made("th", text, { scope: "col", ...(text === "Figure" ? {} : { class: "number" }) }));
  const verdicts = Object.fromEntries(found.differences.map((each) => [each.name, each]));
  const body = element.createTBody();
  for (const metric of tried.metrics) {
    const row = body.insertRow();
    row.append(made("th", TITLES[metric.name] ?? metric.name, { scope: "row" }));
    const other = live?.metrics.find((each) => each.name === metric.name);
    const verdict = verdicts[metric.name]?.verdict ?? "";
    const tone = { better: "up", worse: "down" }[verdict] ?? "soft";
    row.append(
      made("td", said(metric.name, metric.value), { class: "number" }),
      made("td", said(metric.name, other?.value), { class: "number" }),
      made("td", verdict, { class: `number ${tone}` }),
    );
  }
  return element;
}

document.addEventListener("acted", (event) => {
  const found = event.detail.payload.backtest;
  const place = document.getElementById("found");
  if (!found || !place) return;
  const summary = made("p", `${found.firstDay} to ${found.lastDay}: ${found.rows.toLocaleString()} customer-days of ${found.customers} customers, ${found.churned} of whom left within ${found.horizon} days.`);
  const notes = [...(found.tooFew ? [found.tooFew] : []), ...found.cautions].map((text) => made("p", text, { class: "notice notice-warning" }));
  place.replaceChildren(summary, ...notes, ...(found.candidates.length ? [table(found)] : []));
});
