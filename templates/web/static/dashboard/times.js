// Moments in the viewer's own zone and words: pages are drawn in UTC, for nobody told the server where its viewer is.

const written = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const LENGTHS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const [unit, length] = LENGTHS.find(([, size]) => Math.abs(seconds) >= size) ?? [];
  return unit ? relative.format(Math.trunc(seconds / length), unit) : "just now";
}

export function localise(root = document) {
  for (const each of root.querySelectorAll("time[data-moment]")) each.textContent = written.format(new Date(each.dateTime));
  for (const each of root.querySelectorAll("time[data-ago]")) {
    const at = new Date(each.dateTime);
    each.textContent = ago(at);
    each.title = written.format(at);
  }
}
