// Parts of a page that come after its first view: <section id="lift" data-load="/customers/x/lift"> is fetched once the page
// is there, and the region of the same id on that page takes its place. A link within stands there for who has no scripts.

import { localise } from "./times.js";

/** Put the region of that id of another page in the place of ours; where that fails, say so and keep ours. */
export async function into(id, address) {
  const region = document.getElementById(id);
  region.setAttribute("aria-busy", "true");
  region.classList.add("stale");
  try {
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
    if (!fresh) throw new Error(`there is no #${id} at ${address}`);
    region.replaceWith(document.adoptNode(fresh));
    localise(fresh);
    fresh.dispatchEvent(new CustomEvent("redrawn", { bubbles: true }));
    return fresh;
  } catch (error) {
    region.classList.remove("stale", "loading");
    region.removeAttribute("aria-busy");
    const said = document.createElement("p");
    said.className = "notice notice-warning";
    said.textContent = "This part could not be loaded. The link opens it by itself.";
    region.append(said);
    return region;
  }
}

for (const region of document.querySelectorAll("[data-load][id]")) into(region.id, region.dataset.load);
