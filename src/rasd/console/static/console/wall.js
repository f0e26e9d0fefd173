/* The wall between two fetches: clocks that tick, the whole screen, and plain words when the connection is gone. Without
   this file the numbers are right whenever the page is loaded. */
"use strict";
(() => {
  const STALE = 25_000;  // milliseconds without new numbers: two fetches were missed, every 10 s
  const wall = () => document.getElementById("wall");
  const lost = document.getElementById("lost");
  let ahead = 0;  // milliseconds by which the server's clock is ahead of this screen's
  let fresh = 0;  // performance.now() of the last numbers
  let shownAt = null;

  const arrived = () => {
    ahead = Number(wall().dataset.now) * 1000 - Date.now();
    fresh = performance.now();
    shownAt = document.getElementById("clock").textContent;
    tick();
  };
  const IN_DAYS_FROM = 48 * 3600;  // seconds, as in templatetags/team.py: the words of days stand as the server wrote them
  const figures = (seconds) => {
    const left = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    return `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
  };
  const tick = () => {
    const now = (Date.now() + ahead) / 1000;
    document.querySelectorAll("time[data-since]").forEach((each) => {
      const waits = now - each.dataset.since;
      if (waits < IN_DAYS_FROM) each.textContent = figures(waits);
    });
    document.querySelectorAll("time[data-until]").forEach((each) => {
      const left = each.dataset.until - now;
      if (left < IN_DAYS_FROM) each.textContent = figures(left);
      each.classList.toggle("soon", left > 0 && left < 300);
      each.classList.toggle("over", left <= 0);
    });
    const gone = performance.now() - fresh > STALE;
    if (gone !== !lost.hidden) {
      lost.hidden = !gone;
      lost.querySelector("b").textContent = shownAt;
      document.body.classList.toggle("is-lost", gone);
    }
  };

  document.addEventListener("DOMContentLoaded", arrived);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "wall") return;
    const when = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").getElementById("clock");
    if (when) document.getElementById("clock").textContent = when.textContent;
    arrived();
  });
  setInterval(tick, 1000);

  /* The page's own words stand in red; a toast over them every ten seconds says nothing more. */
  document.addEventListener("htmx:sendError", (event) => event.stopImmediatePropagation(), true);

  const whole = document.getElementById("whole");
  const toggle = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (document.fullscreenEnabled) {
    whole.hidden = false;
    whole.addEventListener("click", toggle);
    document.addEventListener("keydown", (event) => {
      if (event.code === "KeyF" && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); toggle(); }
    });
  }
  /* A screen that nobody touches must not go dark. */
  const wake = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  wake();
})();
