/* Working hours. Without this file the pages work; every day is then a stop of the Tab key. */
"use strict";

/* The year by the arrow keys: one stop for Tab, and days under the arrows, turned over where one reads from the right. */
(() => {
  const links = () => [...document.querySelectorAll(".month a[data-day]")];
  const stop = (link) => {
    links().forEach((each) => { each.tabIndex = each === link ? 0 : -1; });
    return link;
  };
  const begin = () => {
    const all = links();
    if (all.length) stop(all.find((each) => each.closest(".looked-at")) ?? all.find((each) => each.getAttribute("aria-current")) ?? all[0]);
  };
  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("focusin", (event) => { if (event.target.matches?.(".month a[data-day]")) stop(event.target); });

  const shifted = (day, days, months) => {
    const [y, m, d] = day.split("-").map(Number);
    const moved = new Date(Date.UTC(y, m - 1 + months, months ? 1 : d + days));
    if (months) moved.setUTCDate(Math.min(d, new Date(Date.UTC(y, m + months, 0)).getUTCDate()));
    return moved.toISOString().slice(0, 10);
  };
  document.addEventListener("keydown", (event) => {
    const link = event.target.closest?.(".month a[data-day]");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const forward = document.documentElement.dir === "rtl" ? -1 : 1;
    const steps = { ArrowRight: [forward, 0], ArrowLeft: [-forward, 0], ArrowDown: [7, 0], ArrowUp: [-7, 0], PageDown: [0, 1], PageUp: [0, -1] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const there = document.querySelector(`.month a[data-day="${shifted(link.dataset.day, ...steps[event.key])}"]`);
    if (there) stop(there).focus();
  });

  /* A day's words are fetched in place; it is marked, and whoever hears the page is led to what is said of it. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".month a[data-day]");
    if (!link || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.htmx.ajax("GET", link.href, { target: "#day", select: "#day", swap: "outerHTML" }).then(() => {
      document.querySelectorAll(".looked-at").forEach((each) => each.classList.remove("looked-at"));
      link.closest("td").classList.add("looked-at");
      history.replaceState(history.state, "", link.href);
      const day = document.getElementById("day");
      day.focus({ preventScroll: true });
      day.scrollIntoView({ block: "nearest" });
    });
  });
})();

/* What was typed and not saved is not left behind without a question. */
(() => {
  let leaves = false;
  const changed = () => document.querySelector("form[data-guard][data-changed]");
  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-guard]"); if (form) form.dataset.changed = ""; });
  document.addEventListener("submit", () => { leaves = true; });
  document.addEventListener("htmx:afterRequest", (event) => { leaves = Boolean(event.detail.xhr?.getResponseHeader("HX-Redirect")); });
  window.addEventListener("beforeunload", (event) => { if (changed() && !leaves) event.preventDefault(); });
})();
