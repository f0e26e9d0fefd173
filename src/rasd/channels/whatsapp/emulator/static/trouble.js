import { api, dateTime, el, number, t, toast, translate } from "./common.js";

translate();
const $ = (id) => document.getElementById(id);
const NAMES = [
  "duplicate_rate", "reorder", "delay", "skip_delivered_rate", "latency", "die_after_accepting",
  "media_failures", "media_status", "media_lookup_failures", "wrong_signatures", "paused", "enforce_limits",
];
const CODES = [131056, 130429, 131026, 131047, 131000, 131016, 131053, 131009, 132001, 131030, 80007, 4, 190, 368];
let faults = {};

$("code").replaceChildren(...CODES.map((code) => el("option", { value: code }, String(code))));
await load();
await refresh();
setInterval(() => document.visibilityState === "visible" && refresh(), 2000);

async function load() {
  try {
    faults = await api("GET", "/faults");
    const { webhook } = await api("GET", "/state");
    $("webhook").url.value = webhook ?? "";
  } catch (e) {
    toast(e.message);
    return;
  }
  $("fields").replaceChildren(...NAMES.map(field));
  showErrors();
}

function field(name) {
  const value = faults[name];
  const label = el("span", {}, t(name));
  if (typeof value === "boolean") {
    return el("label", { class: "check" }, el("input", { type: "checkbox", name, checked: value }), label);
  }
  const step = name.endsWith("_rate") ? "0.05" : "any";
  return el("label", {}, label, el("input", { type: "number", name, value, step, dir: "ltr" }));
}

function showErrors() {
  $("errors").replaceChildren(
    ...faults.errors.filter((e) => e.times).map((e) => el("span", { class: "pill bad", dir: "ltr" }, `${e.code} ×${e.times < 0 ? "∞" : e.times} ${e.via}`)),
  );
}

async function apply(changes) {
  try {
    faults = await api("POST", "/faults", changes);
    showErrors();
    $("saved").textContent = t("saved");
    setTimeout(() => ($("saved").textContent = ""), 3000);
  } catch (e) {
    toast(e.message);
  }
}

$("faults").addEventListener("submit", (event) => {
  event.preventDefault();
  const inputs = [...$("fields").querySelectorAll("input")];
  apply(Object.fromEntries(inputs.map((i) => [i.name, i.type === "checkbox" ? i.checked : Number(i.value)])));
});

$("addError").onclick = () =>
  apply({ errors: [...faults.errors, { code: Number($("code").value), times: Number($("times").value), via: $("via").value }] });

$("clear").onclick = async () => {
  await api("DELETE", "/faults").catch((e) => toast(e.message));
  await load();
};

for (const button of document.querySelectorAll("[data-advance]")) {
  button.onclick = () => moveClock({ advance_seconds: Number(button.dataset.advance) });
}
$("realTime").onclick = () => moveClock({ offset_seconds: 0 });
$("at").addEventListener("submit", (event) => {
  event.preventDefault();
  moveClock({ at: `${$("at").at.value}+04:00` }); // Muscat's, as every time on these pages
});
async function moveClock(body) {
  await api("POST", "/clock", body).catch((e) => toast(e.message));
  refresh();
}

$("webhook").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const { verified } = await api("POST", "/webhook", { url: $("webhook").url.value });
    $("verified").replaceChildren(el("span", { class: `pill ${verified ? "good" : "bad"}` }, t(verified ? "verified" : "notVerified")));
  } catch (e) {
    toast(e.message);
  }
});
$("retry").onclick = () => api("POST", "/deliveries/retry").then(refresh).catch((e) => toast(e.message));

async function refresh() {
  try {
    const [state, { summary, deliveries }] = await Promise.all([api("GET", "/state"), api("GET", "/deliveries?limit=50")]);
    $("now").textContent = dateTime(state.now);
    const latency = summary.latency_ms;
    $("summary").textContent =
      `${t("state_delivered")} ${number(summary.delivered)} · ${t("waiting")} ${number(summary.waiting)}` +
      (latency ? ` · p50 ${number(latency.p50, 1)} ms · p99 ${number(latency.p99, 1)} ms` : "");
    $("none").hidden = deliveries.length > 0;
    $("deliveries").replaceChildren(...deliveries.map(row));
  } catch (e) {
    toast(e.message);
  }
}

function row(delivery) {
  const tone = { delivered: "good", waiting: "" }[delivery.state] ?? "bad";
  const last = delivery.attempts.at(-1);
  const tries = last ? `${number(delivery.attempts.length)} × … ${last.status || last.error} (${number(last.ms, 1)} ms)` : "";
  return el(
    "tr",
    {},
    el("td", {}, dateTime(delivery.at)),
    el("td", { dir: "ltr" }, delivery.kinds.join(", ")),
    el("td", {}, el("span", { class: `pill ${tone}` }, t(`state_${delivery.state}`))),
    el("td", { dir: "ltr" }, tries),
  );
}
