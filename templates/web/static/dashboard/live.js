// Keeps a page as it is now. `refresh` fetches the page once more and puts its live regions, [data-live] with an id, in
// the place of the old ones; `follow` calls back for each event of a subscription, over GraphQL over SSE, from where it
// broke off. Regions somebody types in, or has a dialog open in, are left alone.

import { HEADERS, request } from "./graphql.js";
import { localise } from "./times.js";

let drawing;

export function refresh() {
  drawing ??= drawn().finally(() => { drawing = undefined; });
  return drawing;
}

function busy(region) {
  const active = document.activeElement;
  const typing = region.contains(active) && active.matches("input, textarea, select") && active.value !== active.defaultValue;
  return typing || region.querySelector("dialog[open], details.menu[open]");
}

async function drawn() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of document.querySelectorAll("[data-live][id]")) {
    const fresh = next.getElementById(region.id);
    if (!fresh || busy(region)) continue;
    const focused = region.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...region.querySelectorAll("details[open][id]")].map((each) => each.id);
    region.replaceWith(document.adoptNode(fresh));
    localise(fresh);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
    fresh.dispatchEvent(new CustomEvent("redrawn", { bubbles: true }));
  }
}

/** Events of a subscription's document until `signal` aborts; broken off, it is taken up again where it stood. */
export async function follow(name, variables, each, { signal } = {}) {
  let wait = 1000;
  let after = variables.after ?? null;
  while (!signal?.aborted) {
    try {
      const answer = await fetch("/graphql", {
        method: "POST",
        headers: { ...HEADERS, accept: "text/event-stream", ...(after ? { "last-event-id": after } : {}) },
        body: JSON.stringify(await request(name, { ...variables, after })),
        signal,
      });
      if (!answer.ok) { if (answer.status < 500 && answer.status !== 429) return; throw new Error(answer.statusText); }
      wait = 1000;
      for await (const event of events(answer.body)) {
        if (event.id) after = event.id;
        if (event.event === "complete") return;
        if (event.event === "next") each(JSON.parse(event.data));
      }
    } catch (error) {
      if (signal?.aborted) return;
    }
    await new Promise((done) => setTimeout(done, wait + Math.random() * 500));
    wait = Math.min(wait * 2, 30000);
  }
}

async function* events(body) {
  let text = "";
  for await (const chunk of pieces(body)) {
    text += chunk;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const event = { event: "message", data: "" };
      for (const line of text.slice(0, end).split("\n")) {
        const [field, ...rest] = line.split(":");
        const value = rest.join(":").replace(/^ /, "");
        if (field === "data") event.data += value;
        else if (field) event[field] = value;
      }
      yield event;
    }
  }
}

async function* pieces(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
