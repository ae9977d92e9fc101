// Pages of one customer: parts that come after the first view, the preview of a playbook, drawing parts anew in place.

import { into } from "./loading.js";
import { localise } from "./times.js";

document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-into]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const fresh = await into(link.dataset.into, link.href);
  fresh.querySelector("[aria-current]")?.focus();
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset?.region) return;
  event.preventDefault();
  into(form.dataset.region, `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
});

// what is fired once is fired once, however often it is sent
export function freshen(root = document) {
  for (const each of root.querySelectorAll("input[data-fresh]")) each.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
}
freshen();

const WHEN = [[86400, "day"], [3600, "hour"], [60, "minute"]];
function after(seconds) {
  if (!seconds) return "at once";
  const [length, name] = WHEN.find(([size]) => seconds >= size) ?? [1, "second"];
  const count = Math.round(seconds / length);
  return `after ${count} ${name}${count === 1 ? "" : "s"}`;
}

function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

const STATES = {
  resting: (firing) => `It rests for this customer until ${new Date(firing.restUntil).toLocaleString()}: it would do nothing. Tick the box to see what it would send all the same.`,
  already_fired: () => "It was fired already by this very request.",
};

/** What a dry run of a playbook says it would do: each message as it would be sent, and to whom. */
export function preview(form, payload) {
  const place = form.querySelector(".action-preview");
  place.replaceChildren();
  const firings = payload.firings;
  const resting = firings.filter((each) => each.state === "resting");
  if (firings.length > 1) place.append(made("p", `For ${firings.length - resting.length} of ${firings.length} customers; this is what the first one brings:`));
  const shown = firings.find((each) => each.state !== "resting") ?? firings[0];
  if (STATES[shown.state]) place.append(made("p", STATES[shown.state](shown), "notice notice-warning"));
  if (shown.matches === false) place.append(made("p", "Its own condition does not hold for this customer. Fired by hand, it need not.", "notice"));
  for (const step of shown.previews) {
    const part = made("div", "", "preview-step");
    part.append(made("h3", `${step.channel ?? step.action}${step.address ? ` to ${step.address}` : ""}, ${after(step.afterSeconds)}`));
    if (step.subject) part.append(made("p", step.subject, "strong"));
    part.append(made("pre", step.body));
    place.append(part);
  }
  if (!shown.previews.length && shown.state !== "resting") place.append(made("p", "Nothing would be sent.", "soft"));
  place.hidden = false;
  const force = form.querySelector("[data-force]");
  if (force) force.hidden = resting.length === 0;
  const fire = form.querySelector("[data-confirms]");
  fire.hidden = resting.length === firings.length;
  (fire.hidden ? force?.querySelector("input") : fire)?.focus();
}

document.addEventListener("previewed", (event) => {
  if (event.target.matches?.("form.fire")) preview(event.target, event.detail.payload);
});
document.addEventListener("acted", (event) => {
  const form = event.target;
  if (!form.matches?.("form.fire, .dialog form")) return;
  form.reset();
  freshen(form);
  unready(form);
});
function unready(form) {
  const place = form.querySelector(".action-preview");
  if (place) place.hidden = true;
  const fire = form.querySelector("[data-confirms]");
  if (fire) fire.hidden = true;
}
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-force]")) unready(event.target.form);
  const choice = event.target.closest("select[data-about]");
  if (!choice) return;
  document.getElementById(choice.dataset.about).textContent = choice.selectedOptions[0]?.dataset.says ?? "";
  unready(choice.form);
});
