// Forms that act: <form data-action="alert-snooze" data-input='{"id": "…"}'> sends the document of that name with its
// fields as `input`, says what came of it, and draws the page's live regions anew. See parts/pressed.html.
// A button with name="dryRun" value="true" shows what would happen: the event "previewed" carries the payload.

import { mutate, Refused } from "./graphql.js";
import { refresh } from "./live.js";
import { toast } from "./toasts.js";

const READERS = {
  int: (text) => Number.parseInt(text, 10),
  float: (text) => Number.parseFloat(text),
  points: (text) => Number.parseFloat(text) / 100, // people are shown 0 to 100 of what is 0 to 1
  bool: (text) => text === "true" || text === "on",
  list: (text) => text.split(",").map((each) => each.trim()).filter(Boolean),
  json: (text) => JSON.parse(text),
  days: (text) => new Date(Date.now() + Number(text) * 86400e3).toISOString(), // so many days from now
  moment: (text) => new Date(text).toISOString(), // of the viewer's own zone, as input[type=datetime-local] says it
};

function put(input, path, value) {
  const names = path.split(".");
  const last = names.pop();
  const place = names.reduce((at, name) => (at[name] ??= {}), input);
  place[last] = value;
}

/** The mutation's input: what the form holds, and data-input of the form and of the button. */
export function inputOf(form, button) {
  const input = JSON.parse(form.dataset.input || "{}");
  for (const [name, text] of new FormData(form, button)) {
    if (typeof text !== "string" || text === "") continue;
    const field = button?.name === name ? button : form.elements.namedItem(name);
    const type = (field.dataset ?? field[0]?.dataset)?.type ?? (name === "dryRun" ? "bool" : "text");
    put(input, name, READERS[type] ? READERS[type](text) : text);
  }
  if (button?.dataset.input) Object.assign(input, JSON.parse(button.dataset.input));
  return input;
}

function say(form, errors) {
  const said = form.querySelector(".action-faults");
  for (const field of form.elements) field.removeAttribute?.("aria-invalid");
  for (const error of errors) {
    const field = error.field && form.elements.namedItem(error.field.split(".").pop());
    field?.setAttribute?.("aria-invalid", "true");
  }
  said.textContent = errors.map((each) => each.message).join("\n");
  said.hidden = errors.length === 0;
}

async function act(form, button) {
  say(form, []);
  form.setAttribute("aria-busy", "true");
  const input = inputOf(form, button); // before they are disabled: a disabled button says nothing, not even that it previews
  const buttons = [...form.querySelectorAll("button")].filter((each) => !each.disabled);
  for (const each of buttons) each.disabled = true;
  try {
    const payload = await mutate(form.dataset.action, input);
    const dry = input.dryRun === true;
    form.dispatchEvent(new CustomEvent(dry ? "previewed" : "acted", { detail: { payload, input }, bubbles: true }));
    if (dry) return;
    toast(form.dataset.done || "Done");
    form.closest("dialog")?.close();
    form.closest("details.menu")?.removeAttribute("open");
    if (!("stay" in form.dataset)) await refresh();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(form, error.errors);
    if (!form.querySelector(".action-faults")?.checkVisibility()) toast(error.message, "bad");
  } finally {
    form.removeAttribute("aria-busy");
    for (const each of buttons) each.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset?.action) return;
  event.preventDefault();
  act(form, event.submitter);
});

document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});
