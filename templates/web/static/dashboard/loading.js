// Parts of a page that take a moment: <section id="plan" class="loading" data-load="/playbooks/x/plan"> is fetched once the
// page is there, and takes the place of the section of the same id. A link within stands there for who has no scripts.

import { localise } from "./times.js";

async function load(part) {
  part.setAttribute("aria-busy", "true");
  let text = "";
  try {
    const answer = await fetch(part.dataset.load, { headers: { accept: "text/html" } });
    text = await answer.text();
  } catch { /* said below */ }
  const made = new DOMParser().parseFromString(text, "text/html");
  const fresh = made.getElementById(part.id) ?? made.querySelector(".trouble");
  part.removeAttribute("aria-busy");
  if (fresh) {
    part.replaceWith(document.adoptNode(fresh));
    localise(fresh);
    fresh.dispatchEvent(new CustomEvent("redrawn", { bubbles: true }));
    return;
  }
  part.classList.remove("loading");
  const again = document.createElement("button");
  again.className = "quiet";
  again.textContent = "This part could not be loaded. Try again";
  again.addEventListener("click", () => load(part));
  part.replaceChildren(again);
}

for (const part of document.querySelectorAll("[data-load]")) load(part);
