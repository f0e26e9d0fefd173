/* Work by the keyboard. Every key reaches a box, a link or a button that is on the page; without this file they are
   pressed by hand. */
"use strict";
(() => {
  const boxes = () => [...document.querySelectorAll(".works input[type=checkbox]")];
  const row = () => document.activeElement?.closest?.(".works li");

  const count = () => {
    const picked = document.querySelector(".picked");
    if (!picked) return;
    const n = boxes().filter((each) => each.checked).length;
    picked.textContent = n ? String(n) : picked.dataset.none;
    picked.closest(".mover").classList.toggle("idle", !n);  /* on a phone it makes room for the list */
  };
  document.addEventListener("change", count);
  document.addEventListener("DOMContentLoaded", count);

  /* A list that fetches itself anew keeps what was chosen, and where one stood. */
  let kept = new Set();
  let stood = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "work") return;
    kept = new Set(boxes().filter((each) => each.checked).map((each) => each.value));
    stood = row()?.querySelector("input")?.id ?? "";
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "work") return;
    boxes().forEach((each) => { each.checked = kept.has(each.value); });
    if (stood) document.getElementById(stood)?.focus({ preventScroll: true });
    count();
  });

  const undo = document.getElementById("undo");
  if (undo) setTimeout(() => undo.remove(), Number(undo.dataset.seconds) * 1000);

  const go = (by) => {
    const all = boxes();
    const now = all.indexOf(row()?.querySelector("input"));
    const next = all[Math.min(Math.max(now + by, 0), all.length - 1)];
    next?.focus({ preventScroll: true });
    next?.closest("li").scrollIntoView({ block: "center" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    /* An Arabic keyboard has other letters on the same keys: go by the key's place then. */
    const place = event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase();
    const key = /^[a-z0-9]$/i.test(event.key) ? event.key.toLowerCase() : place;
    if (key === "j" || key === "k") { event.preventDefault(); go(key === "j" ? 1 : -1); return; }
    if (key === "x") { const box = row()?.querySelector("input"); if (box) { event.preventDefault(); box.click(); } return; }
    if (key === "m") {
      const box = row()?.querySelector("input");
      if (box && !boxes().some((each) => each.checked)) box.click();
      event.preventDefault();
      document.getElementById("to")?.focus();
      return;
    }
    if (key === "enter" && event.target.matches(".works input")) {
      const link = row().querySelector("a.open");
      event.preventDefault();
      if (link) link.click();
      return;
    }
    const pressed = /^[0-9u]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
    if (pressed) { event.preventDefault(); pressed.click(); }
  });
})();
