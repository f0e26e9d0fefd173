/* Review by the keyboard. Everything here presses a button that is on the page, so nothing works here only. */
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const field = () => find("#value");

  const sayWhatEnterDoes = () => {
    const input = field();
    const words = find("[data-if-same]");
    if (!input || !words) return;
    const same = input.dataset.suggested && input.value.trim() === input.dataset.suggested;
    words.textContent = same ? words.dataset.ifSame : words.dataset.ifOther;
    input.closest(".entry").classList.toggle("other", !same);
  };

  const ready = () => {
    document.querySelectorAll("[data-zoom], [data-turn]").forEach((button) => { button.hidden = false; });
    const input = field();
    if (input && matchMedia("(hover: hover)").matches) { input.focus(); input.select(); }  // a phone's keyboard would hide the photograph
    sayWhatEnterDoes();
  };

  /* The buttons that ask again carry the reason in their address; htmx sends to the form's, so it is put there. */
  document.addEventListener("htmx:configRequest", (event) => {
    const why = event.detail.triggeringEvent?.submitter?.dataset.why;
    if (why) event.detail.path += `?why=${encodeURIComponent(why)}`;
  });

  document.addEventListener("input", (event) => { if (event.target === field()) sayWhatEnterDoes(); });

  document.addEventListener("keydown", (event) => {
    if (!find("#review") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const input = field();
    const asking = find("details.again[open]");
    const inField = event.target === input;
    const elsewhere = event.target.closest?.("input, textarea, select") && !inField;
    if (elsewhere) return;

    if (event.key === "Escape" && input) {
      event.preventDefault();
      if (asking) asking.open = false;
      input.value = input.dataset.suggested;
      input.focus(); input.select();
      sayWhatEnterDoes();
      return;
    }
    if (asking && (/^[1-9]$/.test(event.key) || event.key === "Enter")) {
      const choice = event.key === "Enter" ? "1" : event.key;
      const button = asking.querySelector(`[data-key="${choice}"]`);
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.key === "Enter") {
      if (event.target.closest?.("button, a, summary") || inField) return;  // does what it does anyway
      const accept = find("#decision .primary");
      if (accept) { event.preventDefault(); accept.click(); }
      return;
    }
    if (/^[0-9٠-٩.,٫]$/.test(event.key)) {
      if (input && !inField) { input.value = ""; input.focus(); }
      return;
    }
    if (event.key === "ArrowRight" && inField && input.selectionStart !== input.value.length) return;
    const key = event.key === "ArrowRight" ? "s" : window.rasdKey(event);
    const pressed = find(`#review [data-key="${key}"]`);
    if (pressed && !event.repeat) { event.preventDefault(); pressed.click(); }
  });

  /* The whole photograph: zoomed in steps, turned by quarters, dragged about. */
  const looks = new WeakMap();
  const lookOf = (viewer) => {
    if (!looks.has(viewer)) looks.set(viewer, { zoom: 1, turn: 0, x: 0, y: 0 });
    return looks.get(viewer);
  };
  const draw = (viewer) => {
    const look = lookOf(viewer);
    viewer.querySelector(".frame img").style.transform =
      `translate(${look.x}px, ${look.y}px) rotate(${look.turn}deg) scale(${look.zoom})`;
  };
  document.addEventListener("click", (event) => {
    const viewer = event.target.closest("[data-viewer]");
    if (!viewer) return;
    const look = lookOf(viewer);
    const shown = event.target.closest("[data-show]");
    if (event.target.closest("[data-zoom], .frame a")) {
      event.preventDefault();
      look.zoom = look.zoom >= 4 ? 1 : look.zoom * 2;
      if (look.zoom === 1) look.x = look.y = 0;
    } else if (event.target.closest("[data-turn]")) look.turn = (look.turn + 90) % 360;
    else if (shown) {
      event.preventDefault();
      viewer.querySelector(".frame img").src = shown.href;
      looks.delete(viewer);
    } else return;
    draw(viewer);
  });
  let dragged = null;
  document.addEventListener("dragstart", (event) => { if (event.target.closest(".frame")) event.preventDefault(); });
  document.addEventListener("pointerdown", (event) => {
    const viewer = event.target.closest(".frame")?.closest("[data-viewer]");
    if (viewer && lookOf(viewer).zoom > 1) dragged = { viewer, x: event.clientX, y: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const look = lookOf(dragged.viewer);
    look.x += event.clientX - dragged.x; look.y += event.clientY - dragged.y;
    dragged.x = event.clientX; dragged.y = event.clientY;
    draw(dragged.viewer);
  });
  document.addEventListener("pointerup", () => { dragged = null; });

  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target?.id === "review") ready(); });
})();
