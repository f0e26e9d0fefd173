/* Answering. What is typed is kept on the device at once and on the server a moment later; it is sent exactly once; the chat
   stays at its end while one is there. The page holds one conversation at a time, and another may take its place. */
"use strict";
(() => {
  const SIGN_OF_LIFE = 20_000;  // milliseconds: the server lets a claim go after 60 seconds without one
  const PAUSE = 800;  // milliseconds without a key, after which what is typed goes to the server
  const GIVE_UP = 20_000;  // milliseconds of silence from the server, after which it is tried again
  const AGAIN = 3_000;  // milliseconds between two tries without a connection

  const find = (selector) => document.querySelector(selector);
  const answer = () => find("#answer");
  const form = () => find("#reply");
  const field = () => find("#text");
  const chat = () => find("#chat");
  const place = (conversation) => `rasd.draft.${conversation}`;

  /* On the device: the words, the key of their message (sent again after a doubt, the server knows it as the same one), and
     since when (the server's clock, seconds) the server has them too. What it has not is the newer, and what it got after this
     page was made; what it had before may have been changed on another device. */
  const remember = (onServer) => {
    const text = field().value;
    try {
      const where = place(answer().dataset.conversation);
      if (text) localStorage.setItem(where, JSON.stringify({ text, key: find("#key").value, onServer }));
      else localStorage.removeItem(where);
    } catch { /* storage is full or forbidden: typing must go on */ }
    const said = find("[data-kept]");
    said.hidden = !text;
    said.textContent = onServer ? said.dataset.everywhere : said.dataset.here;
  };
  const recall = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(place(answer().dataset.conversation)) ?? "null");
      if (kept && (!kept.onServer || kept.onServer > Number(answer().dataset.made) || kept.text === field().value)) {
        field().value = kept.text;
        find("#key").value = kept.key;
        remember(kept.onServer);
        if (!kept.onServer) tellSoon();
        return;
      }
    } catch { /* nothing kept */ }
    remember(true);
  };

  /* On the server: the draft, and with it the sign of life of whoever answers here. */
  let soon = 0;
  let telling = false;
  const fields = (more = {}) => {
    const body = new FormData(form());
    body.set("seen", find("#conversation")?.dataset.seen ?? "");
    Object.entries(more).forEach(([name, value]) => body.set(name, value));
    return body;
  };
  const tell = async () => {
    clearTimeout(soon); soon = 0;
    const here = answer();
    if (!here) return;
    const text = field().value;
    telling = true;
    try {
      const said = await fetch(here.dataset.typing, { method: "POST", body: fields(), headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(GIVE_UP) });
      if (!said.ok || said.headers.has("HX-Redirect") || here !== answer()) return;
      const { claim, at } = await said.json();
      if (field().value === text) remember(at);
      if (claim !== find("#conversation")?.dataset.claim) window.rasdWake(find("#conversation"));
    } catch {
      if (here === answer()) { clearTimeout(soon); soon = setTimeout(tell, 4 * AGAIN); }
    } finally {
      telling = false;
    }
  };
  const tellSoon = () => { clearTimeout(soon); soon = setTimeout(tell, PAUSE); };
  const claims = () => find("#conversation")?.dataset.claim === "mine";
  setInterval(() => { if (answer() && document.visibilityState === "visible" && (claims() || field().value)) tell(); }, SIGN_OF_LIFE);

  const leave = () => {
    if (answer() && (soon || claims())) navigator.sendBeacon(answer().dataset.typing, fields({ leaving: "1" }));
    clearTimeout(soon); soon = 0;
  };
  window.addEventListener("pagehide", leave);

  /* Sending, until the server says that it has it. */
  let waiting = null;  // what could not be sent: { text, timer }
  const stopWaiting = () => { if (waiting) clearTimeout(waiting.timer); waiting = null; };
  const problem = (words) => {
    const said = document.createElement("p");
    said.className = "error"; said.role = "alert"; said.textContent = words;
    find("#problem").replaceChildren(said);
  };
  const later = () => {
    stopWaiting();
    problem(answer().dataset.waiting);
    waiting = { text: field().value, timer: setTimeout(again, AGAIN) };
  };
  const again = () => {
    const asked = waiting;
    stopWaiting();
    if (asked && answer() && field().value === asked.text) send();
  };
  window.addEventListener("online", again);

  const send = async () => {
    const here = answer();
    const text = field().value;
    const button = find("#reply .send");
    if (button.disabled) return;
    button.disabled = true;
    clearTimeout(soon); soon = 0;
    stopWaiting();
    try {
      const said = await fetch(form().action, { method: "POST", body: fields(), headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(GIVE_UP) });
      if (said.headers.has("HX-Redirect")) { location.href = said.headers.get("HX-Redirect"); return; }
      if (said.status === 422) { if (here === answer()) find("#problem").innerHTML = await said.text(); return; }
      if (said.status >= 500) throw new Error(said.status);
      if (!said.ok) { toast(document.body.dataset.wordsFailed); return; }
      const { answered } = JSON.parse(said.headers.get("HX-Trigger"));
      if (here === answer()) done(answered, text);
      else localStorage.removeItem(place(here.dataset.conversation));
    } catch {
      if (here === answer()) later();
    } finally {
      button.disabled = false;
    }
  };

  /* It is in the outbox (or among the notes): an empty field, a new key, and the chat as it is now. What was typed while it
     went stays. */
  let mine = false;
  const ticked = new Map();  // promise -> whether this answer keeps it, where that was said: the chat may be drawn anew meanwhile
  const done = ({ key }, text) => {
    ticked.clear();
    if (field().value === text) field().value = "";
    else if (field().value.startsWith(text)) field().value = field().value.slice(text.length).trimStart();
    find("#key").value = key;
    find("#problem").replaceChildren();
    const first = form().querySelector("[name=as][value=answer]");
    if (first) first.checked = true;
    remember(false); grow();
    if (field().value) tellSoon();
    field().focus();
    mine = true;
    window.rasdWake(find("#conversation"));
  };

  const grow = () => {
    field().style.blockSize = "auto";
    field().style.blockSize = `${Math.min(field().scrollHeight + 2, innerHeight / 3)}px`;
  };

  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  const toEnd = () => { if (chat()) chat().scrollTop = chat().scrollHeight; };
  let wasAtEnd = true;
  let was = 0;

  const ready = () => {
    if (!answer()) return;
    stopWaiting();
    recall(); grow(); toEnd();
    chat().querySelectorAll("img").forEach((image) => image.addEventListener("load", () => { if (wasAtEnd) toEnd(); }, { once: true }));
    wasAtEnd = true;
  };
  document.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "reply") return;
    event.preventDefault();
    send();
  });
  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    remember(false); grow();
    if (!claims() && !soon && !telling && field().value) tell();  // the first letter: nobody else shall begin now
    else tellSoon();
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || event.key !== "Enter" || event.isComposing || event.shiftKey || event.defaultPrevented) return;
    const command = event.ctrlKey || event.metaKey;
    if (!command && matchMedia("(hover: none)").matches) return;  // on a phone Enter is a new line, as in WhatsApp
    event.preventDefault();
    form().requestSubmit();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target?.id;
    if (target === "pane") leave();
    if (target !== "conversation" || !chat()) return;
    wasAtEnd = isAtEnd(chat()); was = chat().scrollTop;
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "keeps") ticked.set(event.target.value, event.target.checked);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const target = event.detail.target?.id;
    if (target === "pane") { ticked.clear(); ready(); }
    if (target !== "conversation" || !chat()) return;
    document.querySelectorAll("[name=keeps]").forEach((tick) => { tick.checked = ticked.get(tick.value) ?? tick.checked; });
    chat().scrollTop = was;
    if (wasAtEnd || mine) toEnd();
    mine = false;
  });
})();
