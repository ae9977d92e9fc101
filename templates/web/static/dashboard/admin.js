// For admins: a secret that is shown once, copies to download, and erasing what was typed twice.

import "./finding.js";

const fresh = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16)).join("");
for (const each of document.querySelectorAll("[data-fresh-key]")) each.value = fresh();

// scopes are boxes of one list; none of them is all of the role's
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form");
  if (!event.target.matches?.("[data-scope]")) return;
  form.querySelector("[data-scopes]").value = [...form.querySelectorAll("[data-scope]:checked")].map((each) => each.value).join(",");
});

function reveal(secret) {
  const dialog = document.getElementById("secret");
  const text = document.getElementById("secret-text");
  text.value = secret;
  document.getElementById("secret-copied").textContent = "";
  dialog.showModal();
  text.select();
  dialog.addEventListener("close", () => { text.value = ""; }, { once: true });
}

document.getElementById("secret-copy")?.addEventListener("click", async () => {
  const text = document.getElementById("secret-text");
  const said = document.getElementById("secret-copied");
  text.select();
  try {
    await navigator.clipboard.writeText(text.value);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "This browser does not copy by itself: press Ctrl+C.";
  }
});

function download(name, body) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function paragraph(text, strong = false) {
  const made = document.createElement(strong ? "strong" : "p");
  made.textContent = text;
  return made;
}

function counted(payload, heading) {
  const rows = payload.counts.filter((each) => each.rows);
  const made = document.createElement("table");
  made.className = "preview";
  const head = made.createTHead().insertRow();
  for (const text of ["Table", "Rows"]) head.append(Object.assign(document.createElement("th"), { textContent: text }));
  const body = made.createTBody();
  for (const each of rows) {
    const row = body.insertRow();
    row.append(Object.assign(document.createElement("th"), { textContent: each.table.replaceAll("_", " ") }));
    row.append(Object.assign(document.createElement("td"), { textContent: each.rows.toLocaleString() }));
  }
  const left = (payload.left ?? []).map((each) => paragraph(`Stays: ${each}`));
  return [paragraph(heading, true), ...(rows.length ? [made] : [paragraph("Nothing is known under these names.")]), ...left];
}

function show(form, parts) {
  const place = form.querySelector(".action-preview");
  place.replaceChildren(...parts);
  place.hidden = false;
}

document.addEventListener("acted", (event) => {
  const form = event.target;
  const { payload } = event.detail;
  const action = form.dataset.action;
  if (payload.secret) {
    form.closest("dialog")?.close();
    form.reset();
    reveal(payload.secret);
  }
  if (action.endsWith("-export") && payload.export) {
    download(`${action}-${new Date().toISOString().slice(0, 10)}.json`, payload.export);
    show(form, counted(payload, "Downloaded."));
  }
  if (action.endsWith("-erase")) {
    show(form, counted(payload, `Erased. The report is kept as ${payload.erasureId}; it names nobody.`));
    form.reset();
    form.querySelector("[data-fresh-key]").value = fresh();
    form.querySelector("[data-confirm]").hidden = true;
  }
});

document.addEventListener("previewed", (event) => {
  const form = event.target;
  if (!form.dataset.action.endsWith("-erase")) return;
  const { payload } = event.detail;
  form.querySelector("[data-fresh-key]").value = fresh(); // a look and the deed are two requests
  show(form, counted(payload, "This would be looked at and erased. Nothing was changed."));
  form.querySelector("[data-confirm]").hidden = !payload.counts.some((each) => each.rows);
  form.querySelector("[data-again]").focus();
});

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-action$='-erase']");
  if (!form) return;
  const what = form.querySelector("[data-erases]");
  if (event.target === what) form.querySelector("[data-confirm]").hidden = true; // somebody else: look again first
  form.querySelector("[data-erase]").disabled = !what.value || form.querySelector("[data-again]").value !== what.value;
});
