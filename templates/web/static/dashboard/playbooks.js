// Playbooks: what takes a moment is fetched once the page is there (what playbooks were worth, a rehearsal when asked
// for), and what a dry run found is shown.

import { localise } from "./times.js";

const TROUBLE = {
  429: "You asked much in this minute: try again shortly.",
  503: "It took longer than a request may. The command line takes its time: cshub playbook plan, cshub playbook report.",
};

async function page(path) {
  const answer = await fetch(path, { headers: { accept: "text/html" } });
  if (!answer.ok) throw new Error(TROUBLE[answer.status] ?? "It could not be computed. Try again in a moment.");
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function said(text) {
  const made = document.createElement("p");
  made.className = "soft small";
  made.textContent = text;
  return made;
}

const worth = new Map(); // path: its page, fetched once

async function fill(root = document) {
  const places = root.matches?.("[data-worth]") ? [root] : root.querySelectorAll("[data-worth]");
  for (const place of places) {
    const path = place.dataset.worth;
    if (!path) continue;
    let found;
    try {
      if (!worth.has(path)) worth.set(path, page(path));
      found = await worth.get(path);
    } catch (error) {
      worth.delete(path);
      for (const part of place.querySelectorAll("[data-part]")) part.replaceChildren(said(error.message));
      continue;
    }
    for (const part of place.querySelectorAll("[data-part]")) {
      const made = found.getElementById(part.dataset.part);
      part.replaceChildren(made ? document.importNode(made, true) : said("Nothing to tell yet."));
      localise(part);
    }
  }
}
fill();
document.addEventListener("redrawn", (event) => fill(event.target));

// A rehearsal may take a minute: it says so, how long it has been, and can be left to itself
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("[data-loads-plan]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const place = link.closest("[data-plan]");
  place.setAttribute("aria-busy", "true");
  place.innerHTML = '<div class="planning" role="status"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9"/><path d="M12 3a9 9 0 0 1 9 9"/></svg><p>Replaying 90 days, day by day. <span data-waited></span></p></div>';
  const began = Date.now();
  const waited = place.querySelector("[data-waited]");
  const ticking = setInterval(() => { waited.textContent = `${Math.round((Date.now() - began) / 1000)} seconds so far.`; }, 1000);
  try {
    const found = (await page(place.dataset.plan)).getElementById("plan-found");
    place.replaceChildren(...document.importNode(found, true).childNodes);
    localise(place);
  } catch (error) {
    place.replaceChildren(said(error.message), link);
  } finally {
    clearInterval(ticking);
    place.removeAttribute("aria-busy");
  }
});

function messages(payload) {
  const previews = payload.firings.flatMap((each) => each.previews).filter((each) => each.channel);
  if (!previews.length) return [said("No message: nothing is set up for it, or nobody is to be written to.")];
  return previews.map((each) => {
    const made = document.createElement("div");
    made.className = "preview-message";
    const head = document.createElement("p");
    const subject = document.createElement("strong");
    subject.textContent = each.subject ?? each.channel;
    head.append(subject, ` to ${each.address ?? "somebody"} by ${each.channel}`);
    const body = document.createElement("pre");
    body.tabIndex = 0;
    body.textContent = each.body;
    made.append(head, body);
    return made;
  });
}

const SHOWN = {
  "playbook-fire": messages,
  "delivery-resend": (payload) => (payload.risks.length ? payload.risks.map((each) => said(each.risk)) : [said("Nothing can be doubled.")]),
};

document.addEventListener("previewed", (event) => {
  const form = event.target;
  const show = SHOWN[form.dataset.action];
  const place = form.querySelector(".action-preview");
  if (!show || !place) return;
  place.replaceChildren(...show(event.detail.payload));
  place.hidden = false;
});
