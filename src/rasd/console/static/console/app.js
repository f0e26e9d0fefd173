/* What every page has: live fragments, words when the connection is gone, colours without a reload.
   Without this file the pages work; they change when they are loaded anew. */
"use strict";

const toast = (words, milliseconds = 6000) => {
  const shown = document.createElement("div");
  shown.className = "toast";
  shown.textContent = words;
  document.getElementById("toasts").replaceChildren(shown);
  if (milliseconds) setTimeout(() => shown.remove(), milliseconds);
  return shown;
};

/* Live: one stream for all fragments of the page that say data-live="topic topic". The server sends topics, and the
   fragment fetches itself anew (hx-trigger="live"); but for the numbers that every page shows, which it sends. */
(() => {
  let stream = null;
  let listensTo = "";
  const topicsOf = (element) => element.dataset.live.split(" ").filter(Boolean);
  const fragments = () => [...document.querySelectorAll("[data-live]")];

  /* A fragment that is being fetched may be about to show what was true a moment ago: it is fetched once more then. htmx
     would queue that for the element that is just being replaced, and forget it. In flight until htmx has settled what it
     swapped in (20 ms): before that nobody listens there. Or for data-rest milliseconds, where much happens: a list is not
     fetched fifty times a second because fifty messages came. */
  const flights = new Map();
  const stale = new Set();
  const wake = (element) => {
    if (!element || !window.htmx) return;
    if (flights.has(element.id)) stale.add(element.id);
    else window.htmx.trigger(element, "live");
  };
  window.rasdWake = wake;
  document.addEventListener("htmx:beforeSend", ({ detail: { elt: { id }, xhr } }) => {
    if (!id) return;
    flights.set(id, xhr);
    xhr.addEventListener("loadend", () => setTimeout(() => {
      if (flights.get(id) === xhr) flights.delete(id);
      if (stale.delete(id)) wake(document.getElementById(id));
    }, document.getElementById(id)?.dataset.rest ?? 60));
  });
  /* Something else took its place meanwhile (a form's answer): what is on its way has nowhere to go. */
  document.addEventListener("htmx:beforeCleanupElement", ({ detail: { elt: { id } } }) => {
    const xhr = flights.get(id);
    if (xhr && xhr.readyState !== XMLHttpRequest.DONE) stale.add(id);
  });

  const listen = () => {
    const topics = [...new Set(fragments().flatMap(topicsOf))].sort();
    const key = topics.join(" ");
    if (key === listensTo) return;
    listensTo = key;
    if (stream) stream.close();
    stream = null;
    if (!key) return;
    // The server tells at once what changed since the page was made; or, of a page that heard everything till now, since what is
    // new in it was made: else each conversation that is opened would have all of the page fetched anew.
    const made = fragments().map((element) => Number(element.dataset.made ?? 0));
    const heard = document.documentElement.dataset.connected === "yes" ? made : [];
    const since = Math.max(document.body.dataset.liveSince, ...heard);
    document.documentElement.dataset.connected = "";
    const query = new URLSearchParams([...topics.map((topic) => ["topic", topic]), ["since", since]]);
    stream = new EventSource(`${document.body.dataset.liveUrl}?${query}`);
    stream.onopen = () => {
      document.documentElement.dataset.connected = "yes";
    };
    stream.onerror = () => { document.documentElement.dataset.connected = "no"; };
    // "owner:5#17": there, something was said in conversation 17, and nothing else changed. A list in which it keeps its place
    // (data-said="row") has its row fetched, if it is shown; numbers and the like have nothing to fetch.
    stream.onmessage = (event) => {
      const [topic, said] = event.data.split("#");
      fragments().filter((element) => topicsOf(element).includes(topic)).forEach((element) => {
        if (!said || element.dataset.said === "all") wake(element);
        else if (element.dataset.said === "row") wake(document.getElementById(`one-${said}`));
      });
    };
    // The numbers beside the pages' names and the inbox's views come themselves, those that are others now.
    stream.addEventListener("numbers", (event) => Object.entries(JSON.parse(event.data)).forEach(([place, words]) => {
      document.querySelectorAll(`[data-number="${place}"]`).forEach((element) => {
        if (element.textContent === words) return;
        element.textContent = words;
        element.closest("b").hidden = !words;
      });
    }));
  };
  document.addEventListener("DOMContentLoaded", listen);
  document.addEventListener("htmx:afterSettle", listen);
  window.addEventListener("pagehide", () => stream && stream.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) { listensTo = ""; listen(); }
  });
})();

document.addEventListener("htmx:sendError", () => toast(document.body.dataset.wordsOffline));
document.addEventListener("htmx:responseError", (event) => {
  // A form that was filled wrongly comes back as 422 with what to mend in it; see beforeSwap.
  if (event.detail.xhr.status !== 422) toast(document.body.dataset.wordsFailed);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
});

/* Which key was meant. An Arabic keyboard has other letters on the same keys: the key's place counts then. */
window.rasdKey = (event) => {
  if (event.key === "?" || event.key === "؟") return "?";
  if (event.key === "/" || (event.code === "Slash" && !event.shiftKey)) return "/";
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : "";
};

/* G, then a letter: to the place whose link has data-go="letter". A page's own letters go before those of the bar. Heard
   before the page's other keys, for which the letter is not meant. */
(() => {
  const TOGETHER = 1_500;  // milliseconds between G and the letter after it
  let went = 0;  // when G was pressed
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=radio], [type=checkbox], [data-letters-are-keys]), textarea, select")) return;
    const key = window.rasdKey(event);
    if (!key || event.repeat) return;
    const isSecond = Date.now() - went < TOGETHER;
    went = key === "g" && !isSecond ? Date.now() : 0;
    if (!isSecond && key !== "g") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const places = isSecond ? document.querySelectorAll(`[data-go="${key}"]`) : [];
    if (places.length) location.href = places[places.length - 1].href;
  }, true);
})();

/* A menu closes when one clicks or goes elsewhere, or presses Escape; a fragment that is fetched anew leaves it open. */
(() => {
  const openOnes = () => [...document.querySelectorAll('details[name="menu"][open]')];
  const closeOthers = (event) => openOnes().forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  document.addEventListener("click", closeOthers);
  document.addEventListener("focusin", closeOthers);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    openOnes().forEach((menu) => {
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    });
  });
  let stayOpen = [];
  let focused = "";  // in a menu: htmx cannot focus what is in one that is not open again yet
  document.addEventListener("htmx:beforeSwap", (event) => {
    const menus = openOnes().filter((menu) => event.detail.target.contains(menu));
    stayOpen = menus.map((menu) => menu.id);
    focused = menus.some((menu) => menu.contains(document.activeElement)) ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:afterSwap", () => {
    stayOpen.map((id) => document.getElementById(id)).forEach((menu) => { if (menu) menu.open = true; });
    if (focused) document.getElementById(focused)?.focus();
    stayOpen = []; focused = "";
  });
})();

/* Colours at once, and remembered in the cookie that the server reads. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const chosen = event.submitter.value;
  document.documentElement.dataset.theme = chosen;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${chosen}; path=/; max-age=31536000; samesite=lax${secure}`;
  document.querySelectorAll("[data-theme-form] button").forEach((button) => {
    if (button.value === chosen) button.setAttribute("aria-pressed", "true"); else button.removeAttribute("aria-pressed");
  });
});
