// Says for a moment what came of something, to eyes and to screen readers.

const SECONDS = { plain: 5, bad: 12 };

export function toast(text, tone = "plain") {
  const made = document.createElement("div");
  made.className = `toast toast-${tone}`;
  made.textContent = text;
  document.getElementById("toasts")?.append(made);
  setTimeout(() => made.remove(), SECONDS[tone] * 1000);
}
