// The table of customers: searched while one types, chosen and ordered in place, walked through by keys. The address says all
// of the view; what is fetched is the same page, of which the region takes the place of ours.

import { freshen } from "./customer.js";
import { run } from "./graphql.js";
import { localise } from "./times.js";

const COLUMNS = "customers.columns";
const region = () => document.getElementById("customers");
const search = document.getElementById("customers-search");
const selected = new Set();
let going;

/** Show the view of an address; a later one takes the place of one that is still under way. */
async function view(address, { replace = false, keep = false } = {}) {
  going?.abort();
  const mine = (going = new AbortController());
  region().classList.add("stale");
  region().setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" }, signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("customers");
    if (!fresh) { location.assign(address); return; }
    if (!keep) history[replace ? "replaceState" : "pushState"]({}, "", address);
    region().replaceWith(document.adoptNode(fresh));
    const subtitle = page.querySelector(".customer-about");
    if (subtitle) document.querySelector(".customer-about")?.replaceWith(document.adoptNode(subtitle));
    redrawn();
  } catch (error) {
    if (error.name === "AbortError") return;
    location.assign(address);
  }
}

/** The address of this view with something changed, from its first page; null takes it away. */
function changed(changes) {
  const asked = new URLSearchParams(location.search);
  for (const each of ["after", "trail", "count"]) asked.delete(each);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") asked.delete(name);
    else asked.set(name, value);
  }
  return `/customers${asked.size ? `?${asked}` : ""}`;
}

function redrawn() {
  localise(region());
  freshen();
  for (const box of region().querySelectorAll("[data-select]")) {
    box.checked = selected.has(box.value);
    box.closest("tr").classList.toggle("selected", box.checked);
  }
  count();
}

// search as you type
let due;
search.addEventListener("input", () => {
  clearTimeout(due);
  due = setTimeout(() => view(changed({ search: search.value.trim() }), { replace: true }), 180);
});
document.getElementById("customers-find").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(due);
  view(changed({ search: search.value.trim() }));
});
addEventListener("popstate", () => {
  search.value = new URLSearchParams(location.search).get("search") ?? "";
  view(location.href, { keep: true });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-view]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    if ("clears" in link.dataset) search.value = "";
    view(link.href);
    return;
  }
  if (event.target.closest("[data-unselect]")) { selected.clear(); redrawn(); return; }
  if (event.target.closest("[data-default-columns]")) {
    event.preventDefault();
    remember(null);
    view(changed({ columns: null }));
    return;
  }
  const row = event.target.closest("tr[data-row]");
  if (row && !event.target.closest("a, input, button, td.check-cell") && !getSelection().toString()) row.querySelector("a.customer").click();
});

// columns: of the address, or those chosen here last
function remember(columns) {
  try { if (columns) localStorage.setItem(COLUMNS, columns); else localStorage.removeItem(COLUMNS); } catch { /* for this page only */ }
}
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-columns-form]")) return;
  event.preventDefault();
  const before = region().dataset.columns.split(",");
  const chosen = [...event.target.querySelectorAll("input:checked")].map((each) => each.value);
  const columns = [...before.filter((each) => chosen.includes(each)), ...chosen.filter((each) => !before.includes(each))].join(",");
  remember(columns);
  view(changed({ columns }));
});
try {
  const kept = localStorage.getItem(COLUMNS);
  if (kept && "untouched" in region().dataset && kept !== region().dataset.columns) view(changed({ columns: kept }), { replace: true });
} catch { /* nothing is kept here */ }

// selected rows, over pages
function count() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  bar.hidden = selected.size === 0;
  for (const each of document.querySelectorAll("[data-selected]")) {
    each.textContent = `${selected.size} customer${selected.size === 1 ? "" : "s"} selected`;
  }
  for (const form of document.querySelectorAll("form.bulk-form")) form.dataset.input = JSON.stringify({ customerIds: [...selected] });
  const boxes = [...region().querySelectorAll("[data-select]")];
  const all = region().querySelector("[data-select-all]");
  if (all) {
    all.checked = boxes.length > 0 && boxes.every((each) => each.checked);
    all.indeterminate = !all.checked && boxes.some((each) => each.checked);
  }
}
function select(box, on = box.checked) {
  box.checked = on;
  if (on) selected.add(box.value);
  else selected.delete(box.value);
  box.closest("tr").classList.toggle("selected", on);
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-select]")) { select(event.target); count(); }
  if (event.target.matches("[data-select-all]")) {
    for (const box of region().querySelectorAll("[data-select]")) select(box, event.target.checked);
    count();
  }
});
document.addEventListener("redrawn", redrawn);
document.addEventListener("acted", (event) => {
  const form = event.target;
  if (form.matches?.(".bulk-form")) { selected.clear(); count(); }
  if (form.matches?.(".segment-new")) view(changed({ segment: event.detail.payload.segment.name, filter: null, search: null }));
  if (form.matches?.(".segment-gone")) view("/customers");
});

// keys
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, details[open]")) return;
  const rows = [...region().querySelectorAll("tr[data-row]")];
  const at = rows.indexOf(document.activeElement?.closest("tr[data-row]"));
  const go = (place) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, place))];
    if (!row) return;
    for (const each of rows) each.tabIndex = each === row ? 0 : -1;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    j: () => go(at + 1),
    ArrowDown: () => go(at + 1),
    k: () => go(at < 0 ? 0 : at - 1),
    ArrowUp: () => go(at < 0 ? 0 : at - 1),
    Enter: () => at >= 0 && event.target === rows[at] && rows[at].querySelector("a.customer").click(),
    x: () => { const box = rows[at]?.querySelector("[data-select]"); if (box) { select(box, !box.checked); count(); } },
    n: () => region().querySelector("a[rel=next]")?.click(),
    p: () => region().querySelector("a[rel=prev]")?.click(),
    f: () => document.getElementById("add-filter").click(),
    "?": () => document.getElementById("keys-dialog").showModal(),
  };
  if (!keys[event.key] || (event.key === "Enter" && event.target !== rows[at])) return;
  event.preventDefault();
  keys[event.key]();
});

// a filter put together: what, how, and the value
const what = document.getElementById("filter-field");
const how = document.getElementById("filter-operator");
const values = document.getElementById("filter-values");
const KNOWN = [["exists", "is known"], ["missing", "is not known"]];
const HOW = {
  number: [["gte", "at least"], ["lte", "at most"], ["gt", "above"], ["lt", "below"], ["between", "between"], ["eq", "is"], ...KNOWN],
  text: [["eq", "is"], ["ne", "is not"], ["contains", "contains"], ["startsWith", "begins with"], ...KNOWN],
  choice: [["in", "is any of"], ["notIn", "is none of"], ...KNOWN],
  date: [["within", "within"], ["after", "after"], ["before", "before"], ["between", "between"], ["eq", "is on"], ...KNOWN],
};
const WITHIN = ["last 7 days", "last 30 days", "last 90 days", "this month", "last month", "this quarter", "this year", "next 30 days", "next 90 days", "next quarter"];

function element(tag, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
}
const chosen = () => what.selectedOptions[0]?.dataset ?? {};
const kind = () => (chosen().choices ? "choice" : chosen().kind);

what.addEventListener("change", async () => {
  document.getElementById("filter-meaning").textContent = chosen().meaning ?? "";
  how.replaceChildren(...(HOW[kind()] ?? []).map(([value, text]) => element("option", { value, textContent: text })));
  draw();
  const known = document.getElementById("filter-known");
  known.replaceChildren();
  if (!chosen().by) return;
  const by = chosen().by;
  const found = await run("customer-values", { by: [by] });
  if (chosen().by !== by) return;
  known.replaceChildren(...found.customerGroups.filter((each) => each.keys[0].value).map((each) => element("option", { value: each.keys[0].value, label: `${each.count} customers` })));
});
how.addEventListener("change", draw);

function draw() {
  const unit = chosen().unit;
  const label = element("label", { htmlFor: "filter-value", textContent: unit ? `Value, ${unit}` : "Value" });
  const input = (more) => element("input", { required: true, name: "value", ...more });
  values.replaceChildren();
  if (!what.value || how.value === "exists" || how.value === "missing") return;
  if (kind() === "choice") {
    const boxes = chosen().choices.split(",").map((each) => element("label", {}, element("input", { type: "checkbox", name: "value", value: each }), ` ${each.replace("_", " ").toLowerCase()}`));
    values.append(element("fieldset", {}, element("legend", { className: "hidden", textContent: "Values" }), ...boxes));
  } else if (how.value === "within") {
    values.append(label, element("select", { id: "filter-value", name: "value" }, ...WITHIN.map((each) => element("option", { value: each, textContent: each }))));
  } else if (how.value === "between") {
    const type = kind() === "date" ? "date" : "number";
    const from = input({ id: "filter-value", type, step: "any" });
    const to = input({ type, step: "any" });
    to.setAttribute("aria-label", "Up to");
    values.append(label, element("span", { className: "range" }, from, "to", to));
  } else {
    const made = input({ id: "filter-value", type: kind() === "text" ? "text" : kind(), step: "any", autocomplete: "off" });
    if (kind() === "text") made.setAttribute("list", "filter-known");
    values.append(label, made);
  }
}

document.getElementById("filter-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const scale = Number(chosen().scale);
  const fields = [...values.querySelectorAll("[name=value]")].filter((each) => each.type !== "checkbox" || each.checked);
  const given = fields.map((each) => (kind() === "number" ? Number((Number(each.value) / scale).toPrecision(12)) : each.value));
  if (kind() === "choice" && !given.length && !["exists", "missing"].includes(how.value)) return;
  const test = { exists: { exists: true }, missing: { exists: false } }[how.value]
    ?? { [how.value]: ["between", "in", "notIn"].includes(how.value) ? given : given[0] };
  const { tests } = JSON.parse(region().dataset.tests);
  view(changed({ filter: JSON.stringify({ [region().dataset.joined]: [...tests, { [what.value]: test }] }) }));
  event.target.closest("dialog").close();
  event.target.reset();
  what.dispatchEvent(new Event("change"));
});
redrawn();
