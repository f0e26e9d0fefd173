/* Answering: nothing typed is lost by a reload, Enter sends, and the chat stays at its end while one is there. */
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const place = () => `rasd.draft.${find("[data-conversation]").dataset.conversation}`;
  const chat = () => find("#chat");

  /* The draft, and the key of its message: sent again after a doubt, the server knows it as the same one. */
  const keep = () => {
    const text = find("#text").value;
    try {
      if (text) localStorage.setItem(place(), JSON.stringify({ text, key: find("#key").value }));
      else localStorage.removeItem(place());
      find("[data-kept]").hidden = !text;
    } catch { /* storage is full or forbidden: typing must go on */ }
  };
  const recall = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(place()) ?? "null");
      if (kept && !find("#text").value) {
        find("#text").value = kept.text;
        find("#key").value = kept.key;
        find("[data-kept]").hidden = false;
      }
    } catch { /* nothing kept */ }
  };

  const grow = () => {
    const field = find("#text");
    field.style.blockSize = "auto";
    field.style.blockSize = `${Math.min(field.scrollHeight + 2, innerHeight / 3)}px`;
  };

  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const toEnd = () => { const box = chat(); if (box) box.scrollTop = box.scrollHeight; };
  let wasAtEnd = true;
  let was = 0;
  let mine = false;

  document.addEventListener("DOMContentLoaded", () => {
    recall(); grow(); toEnd();
    chat()?.querySelectorAll("img").forEach((image) => image.addEventListener("load", toEnd, { once: true }));
  });
  document.addEventListener("input", (event) => { if (event.target.id === "text") { keep(); grow(); } });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || event.key !== "Enter" || event.isComposing || event.shiftKey) return;
    const command = event.ctrlKey || event.metaKey;
    if (!command && matchMedia("(hover: none)").matches) return;  // on a phone Enter is a new line, as in WhatsApp
    event.preventDefault();
    find("#reply .primary").click();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "conversation") return;
    wasAtEnd = isAtEnd(chat()); was = chat().scrollTop;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "conversation" || !chat()) return;
    const box = chat();
    box.scrollTop = was;
    if (wasAtEnd || mine) toEnd();
    mine = false;
  });

  /* It is in the outbox (or among the notes): an empty field, a new key, and the chat as it is now. The answer to the
     form does not hold the chat: a live refresh may have replaced it in the meantime, and htmx would fill what is gone. */
  document.addEventListener("answered", (event) => {
    find("#text").value = "";
    find("#key").value = event.detail.key;
    find("#problem").replaceChildren();
    keep(); grow();
    find("#text").focus();
    mine = true;
    window.rasdWake(find("#conversation"));
  });
})();
