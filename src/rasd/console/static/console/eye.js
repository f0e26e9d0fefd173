/* The eye's page by the keyboard. Every key presses or reaches a link that is on the page. */
"use strict";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest?.("input, textarea, select")) return;
  /* An Arabic keyboard has other letters and digits on the same keys: go by the key's place then. */
  const place = event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase();
  const key = event.key === "?" || event.key === "؟" ? "?" : /^[a-z0-9]$/i.test(event.key) ? event.key.toLowerCase() : place;
  const pressed = /^[a-z0-9?]$/.test(key) && document.querySelector(`#eye [data-key="${key}"]`);
  if (pressed) { event.preventDefault(); pressed.click(); return; }
  if (key !== "j" && key !== "k") return;
  const cards = [...document.querySelectorAll(".pair .open")];
  const now = cards.indexOf(document.activeElement);
  const next = cards[key === "j" ? Math.min(now + 1, cards.length - 1) : Math.max(now - 1, 0)];
  if (next) { event.preventDefault(); next.focus({ preventScroll: true }); next.closest(".pair").scrollIntoView({ block: "center" }); }
});
