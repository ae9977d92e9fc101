// What every page does: times in the viewer's zone, forms that act, live regions, keys.

import "./actions.js";
import "./loading.js";
import { follow, refresh } from "./live.js";
import { localise } from "./times.js";

localise();
setInterval(localise, 60000);

// "/" goes to the search, as in other tools
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  document.querySelector("[data-find]")?.focus();
});

// a page that names a subscription is drawn anew when something comes of it: at once, then at most every two seconds
const subscribed = document.querySelector("[data-follow]");
if (subscribed) {
  let due;
  const soon = () => { due ??= setTimeout(() => { due = undefined; refresh(); }, 2000); };
  const ending = new AbortController();
  addEventListener("pagehide", () => ending.abort());
  for (const name of subscribed.dataset.follow.split(" ")) {
    follow(name, { after: subscribed.dataset.after || null }, soon, { signal: ending.signal });
  }
}
