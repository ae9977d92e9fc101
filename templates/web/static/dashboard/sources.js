// Sources and matches: what a dry run found, as a small table.

import "./finding.js";

function cell(row, text, tag = "td") {
  const made = document.createElement(tag);
  made.textContent = text ?? "–";
  row.append(made);
}

function table(heads, rows) {
  const made = document.createElement("table");
  made.className = "preview";
  const head = made.createTHead().insertRow();
  for (const text of heads) cell(head, text, "th");
  const body = made.createTBody();
  for (const each of rows) {
    const row = body.insertRow();
    each.forEach((text, at) => cell(row, text, at ? "td" : "th"));
  }
  const around = document.createElement("div");
  around.className = "scroll";
  around.append(made);
  return around;
}

function sentence(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function checks(payload) {
  const rows = payload.checks.map((each) => [
    each.stream, each.theirs, each.ours, each.missing, each.extra, each.stale,
    each.completeness === null ? null : `${(Math.floor(each.completeness * 1000) / 10).toFixed(1)} %`, each.error ?? "",
  ]);
  const differs = payload.checks.some((each) => each.missing || each.extra || each.stale);
  const failed = payload.checks.some((each) => each.error);
  const said = differs ? "They differ. Nothing was changed." : failed ? "Not everything could be compared." : "The same on both sides, row by row.";
  return [sentence(said), table(["Stream", "Theirs", "Ours", "Missing", "Extra", "Stale", "Here", ""], rows)];
}

function retried(payload) {
  const freed = payload.streams.reduce((sum, each) => sum + each.freed, 0);
  const rows = payload.streams.map((each) => [each.stream, each.tried, each.freed, each.remaining]);
  return [sentence(freed ? `A retry would free ${freed} of the rows. Nothing was changed.` : "A retry would free none of them: the reasons hold still."), table(["Stream", "Tried", "Would be freed", "Would stay"], rows)];
}

function moved(payload) {
  const rows = payload.moved.map((each) => [each.kind, each.count]);
  const runs = payload.cancelledRuns ? ` ${payload.cancelledRuns} runs of playbooks would be cancelled.` : "";
  return [sentence(`This would go back to the other customer.${runs} Nothing was changed.`), table(["What", "How many"], rows)];
}

const SHOWN = { "source-reconcile": checks, "quarantine-retry": retried, "customer-merge-undo": moved };

document.addEventListener("previewed", (event) => {
  const form = event.target;
  const show = SHOWN[form.dataset.action];
  const place = form.querySelector(".action-preview");
  if (!show || !place) return;
  place.replaceChildren(...show(event.detail.payload));
  place.hidden = false;
});
