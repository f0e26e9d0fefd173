// The phone: shows the chat as it changes (server-sent events) and writes to the business.
import { api, date, el, t, time, toast, translate, withLang } from "./common.js";
import { bubble } from "./bubble.js";

translate();
const $ = (id) => document.getElementById(id);
const key = decodeURIComponent(location.pathname.split("/").pop());
const path = `/phones/${encodeURIComponent(key)}`;
const messages = new Map();
let phone = { online: true };
let line = "";
let answering = null;
let readTimer = 0;
let world = "";

start();

async function start() {
  try {
    const { lines } = await api("GET", "/state");
    line = lines[0]?.phone_number_id ?? "";
    $("lines").replaceChildren(...lines.map((l) => el("option", { value: l.phone_number_id }, l.name)));
    $("lines").hidden = lines.length < 2;
    $("business").hidden = lines.length > 1;
    showLine(lines);
    $("lines").onchange = () => {
      line = $("lines").value;
      showLine(lines);
      render();
    };
    await api("GET", `/chats/${encodeURIComponent(key)}`);
  } catch (e) {
    $("log").replaceChildren(el("p", { class: "empty" }, e.message));
    return;
  }
  render();
  listen();
  $("text").focus();
}

function showLine(lines) {
  const name = lines.find((l) => l.phone_number_id === line)?.name ?? "؟";
  $("business").textContent = name;
  $("avatar").textContent = [...name][0];
}

function listen() {
  const source = new EventSource(`/_emulator/chats/${encodeURIComponent(key)}/events`);
  source.addEventListener("phone", (event) => {
    phone = JSON.parse(event.data);
    document.title = `${phone.name} — محاكاة / Emulator, not WhatsApp`;
    $("presence").textContent = !phone.online ? t("offline") : phone.typing ? t("typing") : phone.name;
    $("power").textContent = t(phone.online ? "goOffline" : "goOnline");
  });
  source.addEventListener("message", (event) => {
    const message = JSON.parse(event.data);
    messages.set(message.id, message);
    show(message);
  });
  source.addEventListener("world", (event) => {
    document.querySelector(".toast")?.remove();
    if (world && world !== event.data) location.reload(); // the emulator began anew: what is shown here is gone
    world = event.data;
  });
  source.onerror = () => {
    toast(t("noConnection"));
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
  };
}

/** One message, in its place: replaced where it is shown already. */
function show(message) {
  const log = $("log");
  if (message.line !== line) return;
  const old = log.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
  if (old) {
    old.replaceWith(drawn(message));
  } else {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
    log.querySelector(".empty")?.remove();
    // What reached a phone that had been off stands where it was sent, so not always at the end.
    const isLast = message.seq > Number(log.lastElementChild?.dataset.seq ?? 0);
    const after = isLast ? null : [...log.querySelectorAll("[data-seq]")].find((e) => Number(e.dataset.seq) > message.seq);
    const made = drawn(message);
    log.insertBefore(made, after ?? null);
    const days = [...log.querySelectorAll("[data-day]")];
    if (!days.some((e) => e.dataset.day === date(message.at))) {
      log.insertBefore(el("div", { class: "day", "data-day": date(message.at) }, date(message.at)), made);
    }
    if (atEnd || message.direction === "in") log.scrollTop = log.scrollHeight;
    made.querySelector("img")?.addEventListener("load", () => atEnd && (log.scrollTop = log.scrollHeight));
  }
  const target = message.type === "reaction" && messages.get(message.content.message_id);
  if (target) show(target);
  if (message.direction === "out" && message.status === "delivered") readSoon();
}

function render() {
  $("log").replaceChildren(el("p", { class: "empty" }, t("empty")));
  for (const message of [...messages.values()].sort((a, b) => a.seq - b.seq)) show(message);
}

const drawn = (message) => bubble(message, { messages, send, openList, openActions, zoom });

/** Whoever looks at the chat has read it. */
function readSoon() {
  if (document.visibilityState !== "visible" || readTimer) return;
  readTimer = setTimeout(() => {
    readTimer = 0;
    api("POST", `${path}/read`).catch(() => {});
  }, 600);
}
document.addEventListener("visibilitychange", readSoon);

async function send(body) {
  try {
    await api("POST", `${path}/send`, { line, ...body });
    return true;
  } catch (e) {
    toast(t("notSent") + e.message);
    return false;
  }
}

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const box = $("text");
  const body = box.value.trim();
  if (!body) return;
  box.value = "";
  if (await send({ type: "text", body, context: answering?.id ?? "" })) answer(null);
  else box.value = body;
});

$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
  if (event.key === "Escape") answer(null);
});

$("unanswer").onclick = () => answer(null);
function answer(message) {
  answering = message;
  $("answering").hidden = !message;
  $("answered").textContent = message ? `${t("answering")}: ${message.text || t(message.type)}` : "";
  if (message) $("text").focus();
}

// Files

$("cameraButton").onclick = () => $("camera").click();
for (const id of ["camera", "photo", "document", "voiceFile"]) {
  $(id).addEventListener("change", () => {
    const file = $(id).files[0];
    if (file) upload(file, { voice: id === "voiceFile", kind: id === "document" ? "document" : "" });
    $(id).value = "";
  });
}
$("log").addEventListener("dragover", (event) => event.preventDefault());
$("log").addEventListener("drop", (event) => {
  event.preventDefault();
  for (const file of event.dataTransfer.files) upload(file, {});
});
$("text").addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files][0];
  if (file) {
    event.preventDefault();
    upload(file, {});
  }
});

function upload(file, { voice = false, kind = "" }) {
  const form = new FormData();
  form.append("line", line);
  form.append("voice", voice ? "true" : "");
  form.append("kind", kind);
  form.append("caption", voice ? "" : $("text").value.trim());
  form.append("context", answering?.id ?? "");
  form.append("file", file, file.name || "voice.ogg");
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("uploading") });
  const box = el("div", { class: "bubble in" }, el("p", {}, `${t("uploading")}: `, el("bdi", {}, file.name || t("voice"))), bar);
  $("log").append(box);
  $("log").scrollTop = $("log").scrollHeight;
  const request = new XMLHttpRequest(); // fetch does not tell how far an upload has come
  request.open("POST", `/_emulator${path}/send`);
  request.responseType = "json";
  request.upload.onprogress = (event) => (bar.value = event.loaded / event.total);
  request.onloadend = () => {
    box.remove();
    if (request.status === 201) {
      $("text").value = "";
      answer(null);
    } else {
      toast(t("notSent") + (request.response?.error ?? t("noConnection")));
    }
  };
  request.send(form);
}

let recorder = null;
$("voice").onclick = async () => {
  if (recorder) {
    recorder.stop();
    return;
  }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const kinds = ["audio/ogg;codecs=opus", "audio/mp4", "audio/webm;codecs=opus"];
    recorder = new MediaRecorder(stream, { mimeType: kinds.find((k) => MediaRecorder.isTypeSupported(k)) });
  } catch {
    toast(t("noMicrophone"));
    return;
  }
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    const kind = recorder.mimeType;
    recorder.stream.getTracks().forEach((track) => track.stop());
    recorder = null;
    $("voice").classList.remove("recording");
    $("voice").setAttribute("aria-label", t("voice"));
    upload(new File(parts, "voice", { type: kind }), { voice: true });
  };
  recorder.start();
  $("voice").classList.add("recording");
  $("voice").setAttribute("aria-label", t("stop"));
};

// The menu

for (const button of document.querySelectorAll("[data-pick]")) {
  button.onclick = () => {
    $("more").hidePopover();
    $(button.dataset.pick).click();
  };
}
const MUSCAT = { latitude: 23.588, longitude: 58.3829 };
const actions = {
  location: () => {
    const here = ({ coords }) => send({ type: "location", latitude: coords.latitude, longitude: coords.longitude });
    const nowhere = () => {
      toast(t("noPlace"));
      send({ type: "location", ...MUSCAT, name: "مسقط" });
    };
    navigator.geolocation ? navigator.geolocation.getCurrentPosition(here, nowhere, { timeout: 5000 }) : nowhere();
  },
  contact: async () => {
    const name = await ask(t("name"));
    const number = name && (await ask(t("number"), "+968 "));
    if (name && number) send({ type: "contacts", contacts: [{ name: { formatted_name: name, first_name: name }, phones: [{ phone: number, type: "CELL" }] }] });
  },
  changeNumber: async () => {
    const number = await ask(t("newNumber"), "+968 ");
    if (number && (await send({ type: "change_number", number }))) location.href = withLang(`/phone/${number.replace(/\D/g, "")}`);
  },
  power: () => api("PATCH", path, { online: !phone.online }).catch((e) => toast(e.message)),
};
for (const button of document.querySelectorAll("[data-do]")) {
  button.onclick = () => {
    $("more").hidePopover();
    actions[button.dataset.do]();
  };
}

// Dialogues

function ask(question, value = "") {
  return new Promise((resolve) => {
    $("question").textContent = question;
    $("answer").value = value;
    $("ask").onclose = () => resolve($("ask").returnValue === "ok" ? $("answer").value.trim() : "");
    $("ask").returnValue = "";
    $("ask").showModal();
  });
}

function openList(message) {
  const action = message.content.action;
  $("listTitle").textContent = action.button;
  const rows = (action.sections ?? []).flatMap((section) => [
    section.title ? el("h3", { dir: "auto" }, section.title) : null,
    ...section.rows.map((row) =>
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            $("list").close();
            send({ type: "choose", row: row.id });
          },
        },
        el("bdi", {}, row.title),
        row.description ? el("small", { dir: "auto" }, row.description) : null,
      ),
    ),
  ]);
  $("rows").replaceChildren(...rows.filter(Boolean));
  $("list").showModal();
}

function openActions(message) {
  const does = (label, act) =>
    el("button", { type: "button", onclick: () => ($("actions").close(), act()) }, label);
  const own = message.direction === "in";
  const rows = [
    does(t("reply"), () => answer(message)),
    does(t("react"), () => send({ type: "reaction", message_id: message.id, emoji: message.reactions.customer ? "" : "👍" })),
  ];
  if (own && ["text", "image", "video", "document"].includes(message.type)) {
    rows.push(does(t("edit"), async () => {
      const text = await ask(t("newText"), message.text);
      if (text) send({ type: "edit", message_id: message.id, text });
    }));
  }
  if (own) rows.push(does(t("revoke"), () => send({ type: "revoke", message_id: message.id })));
  $("actionRows").replaceChildren(...rows);
  $("actions").showModal();
}

function zoom(url) {
  $("zoomed").src = url;
  $("zoomed").alt = t("photoAlt");
  $("zoomed").classList.remove("large");
  $("zoomed").onclick = () => $("zoomed").classList.toggle("large");
  $("zoom").showModal();
}
