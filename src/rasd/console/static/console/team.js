/* Work by the keyboard. Every key reaches a box, a link or a button that is on the page; without this file they are
   pressed by hand. */
"use strict";
(() => {
  const boxes = () => [...document.querySelectorAll(".works input[type=checkbox]")];
  const row = () => document.activeElement?.closest?.(".works li");

  /* What is chosen is kept here and not read from the page, so that a list that fetches itself anew loses none of it. */
  const chosen = new Set();
  let stood = "";
  const count = () => {
    const picked = document.querySelector(".picked");
    if (!picked) return;
    const n = boxes().filter((each) => each.checked).length;
    picked.textContent = n ? String(n) : picked.dataset.none;
    picked.closest(".mover").classList.toggle("idle", !n);  /* on a phone it makes room for the list */
  };
  const show = () => {
    boxes().forEach((each) => { each.checked = chosen.has(each.value); });
    count();
  };
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".works input")) return;
    if (event.target.checked) chosen.add(event.target.value); else chosen.delete(event.target.value);
    count();
  });
  document.addEventListener("DOMContentLoaded", () => {
    boxes().filter((each) => each.checked).forEach((each) => chosen.add(each.value));  /* kept by the browser over a reload */
    count();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "work") stood = row()?.querySelector("input")?.id ?? "";
  });
  document.addEventListener("htmx:afterSwap", () => {
    show();
    if (stood) document.getElementById(stood)?.focus({ preventScroll: true });
    stood = "";
  });
  document.addEventListener("htmx:afterSettle", show);

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
