/* Cases: the keyboard, nothing typed is lost by a reload or by a colleague's change, ready words, copying. */
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");

  /* What only script can do is shown only now. */
  const dress = () => document.querySelectorAll("[data-copy], [data-print], .canned").forEach((each) => { each.hidden = false; });
  document.addEventListener("DOMContentLoaded", dress);
  document.addEventListener("htmx:afterSettle", dress);

  /* Drafts: kept on the device until the form is sent. */
  const place = (field) => `rasd.case.${field.closest("[data-case]").dataset.case}.${field.dataset.keep}`;
  const each = (deed) => document.querySelectorAll("[data-keep]").forEach((field) => {
    try { deed(field, place(field)); } catch { /* storage is full or forbidden: typing must go on */ }
  });
  const recall = () => each((field, key) => { field.value ||= localStorage.getItem(key) ?? ""; });
  const forget = () => {
    try {
      const sent = JSON.parse(sessionStorage.getItem(SENT) ?? "[]");
      if (!find("[data-case]")) return; /* a closing answer is looked at once more first */
      sessionStorage.removeItem(SENT);
      if (find(".messages .success")) sent.forEach((key) => localStorage.removeItem(key));
    } catch { /* as above */ }
  };
  document.addEventListener("DOMContentLoaded", forget);
  document.addEventListener("DOMContentLoaded", recall);
  document.addEventListener("htmx:afterSettle", recall);
  document.addEventListener("input", (event) => {
    if (!event.target.dataset?.keep) return;
    each((field, key) => { if (field.value) localStorage.setItem(key, field.value); else localStorage.removeItem(key); });
  });
  /* What was sent is forgotten on the page that says so, and not before: a connection may fail in between. */
  const SENT = "rasd.case.sent";
  document.addEventListener("submit", (event) => {
    const kept = [...event.target.querySelectorAll("[data-keep]")].map(place);
    try { if (kept.length) sessionStorage.setItem(SENT, JSON.stringify(kept)); } catch { /* as above */ }
    const seen = event.target.elements.seen;
    if (seen) seen.value = find("#history")?.dataset.seen ?? seen.value; /* the history may be newer than the form */
  });

  /* A colleague changed the case: what can be done is shown anew, unless somebody is typing there. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const deeds = event.detail.target;
    if (deeds?.id !== "deeds") return;
    const inUse = deeds.contains(document.activeElement) || [...deeds.querySelectorAll("[data-keep]")].some((field) => field.value);
    if (!inUse) return;
    event.detail.shouldSwap = false;
    const shown = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").querySelector("#deeds");
    if (shown && shown.dataset.stage !== deeds.dataset.stage) {
      deeds.dataset.stage = shown.dataset.stage;
      toast(deeds.dataset.wordsChanged);
    }
  });

  document.addEventListener("change", (event) => {
    const { canned } = event.target.dataset ?? {};
    if (canned && event.target.value) {
      const field = document.getElementById(canned);
      field.value = field.value ? `${field.value}\n${event.target.value}` : event.target.value;
      event.target.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    } else if (event.target.closest("[data-filters]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (event.target.closest("[data-print]")) print();
    if (!copy) return;
    const field = document.getElementById(copy.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    toast(copy.dataset.copied);
  });

  /* The keyboard: by place, so that an Arabic one does the same. */
  const walk = (step) => {
    const rows = [...document.querySelectorAll(".case-list a")];
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))]?.focus();
  };
  const open = (form, field) => {
    const box = find(`[data-form="${form}"]`);
    if (box) box.open = true;
    find(field)?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find("#deeds") && typing()) { document.activeElement.blur(); return; }
    if (typing() || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key === "?" || event.key === "؟" ? "?" : event.code;
    const onList = { KeyJ: () => walk(1), KeyK: () => walk(-1), Slash: () => find("#q").focus() };
    const onCase = {
      KeyR: () => open("say", "#say-text"),
      KeyN: () => open("say", "#say-text"),
      KeyE: () => open("close", "#close-text"),
      Escape: () => find(".case-head .back").click(),
    };
    const deed = key === "?" ? () => { const keys = find("#keys"); if (keys) { keys.open = !keys.open; keys.scrollIntoView({ block: "nearest" }); } } : find(".case-list, #q") ? onList[key] : find("#deeds") ? onCase[key] : null;
    if (!deed) return;
    event.preventDefault();
    deed();
  });
})();
