/* Keys and menus. Without this file every page works: each thing here is also a link or a button. */
"use strict";

/* Which key was meant. An Arabic keyboard has other letters on the same keys: the key's place counts then. */
const meant = (event) => {
  if (event.key === "?" || event.key === "؟") return "?";
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : "";
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, textarea, select, dialog[open]")) return;
  const key = meant(event);
  if (key === "?") { event.preventDefault(); document.getElementById("keys").showModal(); }
  if (key !== "j" && key !== "k") return;
  const stops = [...document.querySelectorAll("[data-stop]")].filter((stop) => stop.getClientRects().length);
  const at = stops.findIndex((stop) => stop === document.activeElement || stop.contains(document.activeElement));
  const next = stops[at < 0 ? (key === "j" ? 0 : stops.length - 1) : at + (key === "j" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
});

/* A menu closes when one clicks elsewhere or presses Escape. */
const menus = () => [...document.querySelectorAll('details[name="menu"][open]')];
document.addEventListener("click", (event) => menus().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menus().forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
});
