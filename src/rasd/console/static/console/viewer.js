/* A customer's picture, large: + and - zoom, T turns it by quarters, 0 puts it back, dragging moves it, Escape closes.
   Without this file the picture opens in a window of its own. */
"use strict";
(() => {
  const dialog = () => document.querySelector("#viewer");
  const image = () => dialog().querySelector("img");
  const SMALLEST = 1, LARGEST = 8, STEP = 1.5;
  let look = null;
  let dragged = null;

  const draw = () => {
    // A picture that lies on its side is made to fit again.
    const frame = dialog().querySelector(".frame").getBoundingClientRect();
    const across = look.turn % 180 ? Math.min(1, frame.height / frame.width, frame.width / frame.height) : 1;
    image().style.transform = `translate(${look.x}px, ${look.y}px) rotate(${look.turn}deg) scale(${look.zoom * across})`;
  };
  const reset = () => { look = { zoom: 1, turn: 0, x: 0, y: 0 }; draw(); };
  const zoom = (by) => {
    look.zoom = Math.min(LARGEST, Math.max(SMALLEST, look.zoom * by));
    if (look.zoom === SMALLEST) look.x = look.y = 0;
    draw();
  };
  const turn = () => { look.turn = (look.turn + 90) % 360; draw(); };
  const deeds = { larger: () => zoom(STEP), smaller: () => zoom(1 / STEP), turn, reset };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-picture]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      image().src = link.href;
      image().alt = link.querySelector("img").alt;
      dialog().querySelector("[data-download]").href = link.dataset.picture || link.href;
      dialog().showModal();
      reset();
    }
    const deed = event.target.closest?.("#viewer [data-deed]");
    if (deed) deeds[deed.dataset.deed]();
    if (event.target.closest?.("#viewer [data-close]")) dialog().close();
  });
  document.addEventListener("keydown", (event) => {
    if (!dialog()?.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = window.rasdKey(event);
    const deed = { "+": "larger", "=": "larger", "-": "smaller", _: "smaller", t: "turn", 0: "reset", "٠": "reset" }[key || event.key];
    if (deed) { event.preventDefault(); deeds[deed](); }
  });
  document.addEventListener("wheel", (event) => {
    if (!event.target.closest?.("#viewer .frame")) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? STEP : 1 / STEP);
  }, { passive: false });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.("#viewer .frame") || look.zoom <= 1) return;
    event.preventDefault();
    dragged = { x: event.clientX, y: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    look.x += event.clientX - dragged.x; look.y += event.clientY - dragged.y;
    dragged = { x: event.clientX, y: event.clientY };
    draw();
  });
  document.addEventListener("pointerup", () => { dragged = null; });
})();
