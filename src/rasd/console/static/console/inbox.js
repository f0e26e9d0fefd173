/* The inbox by the keyboard, and the list that changes by itself. Every key presses a button or follows a link that is on
   the page, so nothing works here only. */
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const links = () => [...document.querySelectorAll("#list a.row-link")];
  const openOne = () => find("#answer")?.dataset.conversation ?? "";

  const mark = () => links().forEach((link) => {
    if (link.id === `row-${openOne()}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });

  /* The next or the previous one: opened where one is open already, else only reached. */
  const step = (by) => {
    const all = links();
    const inList = document.activeElement.closest?.("#list");
    const at = inList ? all.indexOf(document.activeElement) : all.findIndex((link) => link.id === `row-${openOne()}`);
    const next = all[at < 0 ? 0 : at + by];
    if (!next) { if (by > 0) find("[data-older]")?.focus(); return; }
    next.scrollIntoView({ block: "nearest" });
    if (openOne() && !inList) next.click(); else next.focus();
  };
  const write = (kind) => {
    const way = find(`#reply [name=as][value=${kind}]`);
    if (!way) return;
    way.checked = true;
    way.dispatchEvent(new Event("change", { bubbles: true }));
    find("#text").focus();
  };

  const deeds = {
    j: () => step(1),
    k: () => step(-1),
    o: () => document.activeElement.closest?.("#list a")?.click(),
    r: () => write("answer"),
    n: () => write("note"),
    p: () => write("promise"),
    "/": () => { find("#q").focus(); find("#q").select(); },
    "?": () => find("#keys").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (!find("#list") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.closest?.("input:not([type=radio], [type=checkbox]), textarea, select");
    if (event.key === "Escape" && typing) { event.target.blur(); find("#chat")?.focus(); return; }
    if (typing) return;
    const key = window.rasdKey(event);
    if (!key || event.repeat && key !== "j" && key !== "k") return;
    const button = find(`[data-key="${key}"]`);
    if (deeds[key]) { event.preventDefault(); deeds[key](); }
    else if (button) {
      event.preventDefault();
      const asks = button.closest("details:not([open])");
      if (asks) { asks.open = true; asks.querySelector("input:not([type=hidden]), textarea, select")?.focus(); } else button.click();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-show-keys]")) find("#keys").showModal();
    if (event.target.closest?.("#keys [data-close]")) find("#keys").close();
  });

  /* A choice of a filter is the choice; a button is for those without script. */
  document.addEventListener("change", (event) => { if (event.target.closest?.("#filters, #matter")) event.target.form.requestSubmit(); });

  /* The list changes beneath one's eyes: what one looks at stays where it is, and what has the focus keeps it (htmx does
     that, by the rows' ids). At the top the newest is what one wants to see. */
  let anchor = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    /* A reason being typed beside it is not lost to a message that comes meanwhile. */
    const asked = event.detail.target?.querySelectorAll?.("input[name=why]") ?? [];
    if (event.detail.requestConfig?.triggeringEvent?.type === "live" && [...asked].some((field) => field.value)) { event.detail.shouldSwap = false; return; }
    if (event.detail.target?.id !== "list") return;
    const box = find("#rows");
    const top = box.getBoundingClientRect().top;
    const first = box.scrollTop > 8 && links().find((link) => link.getBoundingClientRect().bottom > top);
    anchor = first ? { id: first.id, at: first.getBoundingClientRect().top } : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const target = event.detail.target?.id;
    if (target === "list") {
      const again = anchor && document.getElementById(anchor.id);
      if (again) find("#rows").scrollTop += again.getBoundingClientRect().top - anchor.at;
      mark();
    }
    if (target?.startsWith("one-")) mark();
    if (target === "pane") {
      mark();
      find("#chat")?.focus({ preventScroll: true });
      const name = find("#pane [data-title]")?.dataset.title;
      if (name) document.title = name;
    }
  });
  document.addEventListener("DOMContentLoaded", mark);
})();
