import { api, el, time, toast, translate, withLang } from "./common.js";

translate();
const list = document.getElementById("phones");
const none = document.getElementById("none");
const form = document.getElementById("add");

async function show() {
  try {
    const { phones } = await api("GET", "/phones");
    none.hidden = phones.length > 0;
    list.replaceChildren(...phones.map(row));
  } catch (e) {
    toast(e.message);
  }
}

function row(phone) {
  const last = phone.last;
  return el(
    "li",
    {},
    el(
      "a",
      { href: withLang(`/phone/${encodeURIComponent(phone.key)}`) },
      el("span", { class: "avatar", "aria-hidden": "true" }, [...phone.name.replace("+", "")][0] ?? "؟"),
      el("b", {}, el("bdi", {}, phone.name)),
      el("small", {}, last ? time(last.at) : ""),
      el("span", { class: "last" }, el("bdi", {}, last?.text || phone.number || phone.user_id)),
    ),
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  if (fields.user_id) fields.number = "";
  try {
    const phone = await api("POST", "/phones", { ...fields, reads: false });
    location.href = withLang(`/phone/${encodeURIComponent(phone.key)}`);
  } catch (e) {
    toast(e.message);
  }
});

show();
setInterval(() => document.visibilityState === "visible" && show(), 3000);
