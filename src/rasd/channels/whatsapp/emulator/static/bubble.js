// How one message looks.
import { el, t, time } from "./common.js";

const MEDIA = ["image", "sticker", "audio", "video", "document"];
const SYSTEM = ["system", "edit", "revoke", "reaction"]; // what happened to other messages, or to the customer

/** The element of a message; ``does`` holds the chat's messages and what buttons do. */
export function bubble(message, does) {
  if (SYSTEM.includes(message.type)) return notice(message);
  const failed = message.status === "failed";
  const box = el("article", {
    class: `bubble ${message.direction}${failed ? " failed" : ""}`,
    "data-id": message.id,
    "data-seq": message.seq,
    "data-type": message.type,
    "aria-label": message.direction === "in" ? t("you") : "",
  });
  if (message.revoked) {
    box.append(el("p", { class: "deleted" }, t("deleted")), meta(message, does));
    return box;
  }
  const quoted = message.context && does.messages.get(message.context);
  if (quoted) box.append(el("div", { class: "quote", dir: "auto" }, quoted.text || t(quoted.type)));
  box.append(...content(message, does).filter(Boolean));
  if (failed) box.append(el("p", { class: "foot" }, `${t("failedToArrive")}: ${message.error?.code ?? ""}`));
  box.append(meta(message, does));
  const reactions = Object.values(message.reactions).filter(Boolean);
  if (reactions.length) {
    box.classList.add("has-reaction");
    box.append(el("span", { class: "reaction" }, reactions.join(" ")));
  }
  return box;
}

function notice(message) {
  const hidden = message.type !== "system"; // its effect is seen on the message that it is about
  return el("div", { class: "notice", dir: "auto", "data-id": message.id, "data-seq": message.seq, hidden }, message.text);
}

function meta(message, does) {
  const foot = el("div", { class: "meta" });
  foot.append(el("button", { type: "button", "aria-label": t("actions"), onclick: () => does.openActions(message) }, "⋯"));
  if (message.edited) foot.append(el("span", {}, t("edited")));
  foot.append(el("time", { dateTime: message.at }, time(message.at)));
  if (message.direction === "in") foot.append(ticks(message.status));
  return foot;
}

function ticks(status) {
  const marks = status === "pending" ? "✓" : "✓✓";
  return el("span", { class: `ticks ${status}`, role: "img", "aria-label": t(status), title: t(status) }, marks);
}

const words = (text) => (text ? el("p", { dir: "auto" }, text) : null);

function content(message, does) {
  const part = message.content;
  if (MEDIA.includes(message.type)) return [media(message, does), words(message.text)];
  if (message.type === "interactive" && part.action) return interactive(message, does);
  if (message.type === "location") return [place(part), words(message.text)];
  if (message.type === "contacts") return part.map(card);
  if (message.type === "template") return [words(message.text), quickReplies(message, does)];
  return [words(message.text || `[${message.type}] ${t("unsupported")}`)];
}

function media(message, does) {
  const part = message.content;
  const url = part.id ? `/_emulator/media/${part.id}` : part.link;
  if (message.type === "image" || message.type === "sticker") {
    return el(
      "button",
      { type: "button", class: "photo", "aria-label": t("zoom"), onclick: () => does.zoom(url) },
      el("img", { src: url, alt: message.text || t("photoAlt"), loading: "lazy" }),
    );
  }
  if (message.type === "audio") return el("audio", { src: url, controls: true, preload: "metadata" });
  if (message.type === "video") return el("video", { src: url, controls: true, preload: "metadata" });
  return el("a", { href: url, target: "_blank", rel: "noopener" }, el("bdi", {}, part.filename ?? t("downloadFile")));
}

function interactive(message, does) {
  const { header, body, footer, action, type } = message.content;
  const parts = [
    header?.text ? el("h3", { dir: "auto" }, header.text) : null,
    header?.image?.id ? el("img", { src: `/_emulator/media/${header.image.id}`, alt: t("photoAlt") }) : null,
    words(body?.text),
    footer?.text ? el("p", { class: "foot", dir: "auto" }, footer.text) : null,
  ];
  const choices = el("div", { class: "choices" });
  const choice = (label, act) => el("button", { type: "button", dir: "auto", onclick: act }, label);
  for (const { reply } of action.buttons ?? []) {
    choices.append(choice(reply.title, () => does.send({ type: "press", button: reply.id })));
  }
  if (action.sections) choices.append(choice(`☰ ${action.button}`, () => does.openList(message)));
  if (type === "cta_url") {
    const { url, display_text: label } = action.parameters;
    choices.append(el("a", { href: url, target: "_blank", rel: "noopener", dir: "auto" }, `↗ ${label}`));
  }
  return [...parts, choices.childElementCount ? choices : null];
}

function quickReplies(message, does) {
  const buttons = (message.content.components ?? []).filter((c) => (c.sub_type ?? "").toLowerCase() === "quick_reply");
  const payloads = buttons.flatMap((b) => (b.parameters ?? []).map((p) => p.payload ?? p.text));
  if (!payloads.length) return null;
  const press = (p) => el("button", { type: "button", onclick: () => does.send({ type: "press", button: p }) }, p);
  return el("div", { class: "choices" }, ...payloads.map(press));
}

function place(part) {
  const at = `${part.latitude},${part.longitude}`;
  const shown = `${Number(part.latitude).toFixed(5)}, ${Number(part.longitude).toFixed(5)}`;
  return el("p", {}, `${t("place")}: `, el("a", { href: `geo:${at}`, dir: "ltr" }, shown));
}

function card(contact) {
  const name = el("bdi", {}, contact.name?.formatted_name ?? "");
  return el("p", {}, `${t("contact")}: `, name, " ", el("bdi", { dir: "ltr" }, contact.phones?.[0]?.phone ?? ""));
}
