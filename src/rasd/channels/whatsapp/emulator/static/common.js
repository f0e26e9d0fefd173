// What the pages share: their words in both languages, times in Muscat, calls of the control API.
export const lang = document.documentElement.lang;
const ZONE = "Asia/Muscat";

const WORDS = {
  ar: {
    badge: "محاكاة / Emulator — ليس واتساب",
    phones: "هواتف تجريبية",
    phonesHint: "كل هاتف هنا لعميل غير حقيقي، ولا تصل رسائله إلى أحد غير نظامك. افتح واحدا واكتب إلى المؤسسة كما يكتب العميل.",
    noPhones: "لا هواتف بعد. أضف واحدا من الأسفل.",
    addPhone: "إضافة هاتف",
    number: "الرقم",
    numberHint: "مع رمز الدولة، مثل ‎+968 9000 0001",
    name: "الاسم",
    userId: "معرّف بلا رقم",
    userIdHint: "لمن يكتب باسم مستخدم ولا يظهر رقمه، مثل OM.12345",
    add: "إضافة",
    trouble: "صنع المتاعب",
    otherLanguage: "English",
    chat: "المحادثة",
    back: "كل الهواتف",
    write: "اكتب رسالة",
    send: "إرسال",
    camera: "التقاط صورة",
    more: "المزيد",
    photo: "صورة من الجهاز",
    document: "مستند",
    voiceFile: "ملف صوتي كرسالة صوتية",
    voice: "تسجيل رسالة صوتية",
    stop: "إنهاء التسجيل وإرساله",
    location: "موقعي",
    contact: "بطاقة اتصال",
    changeNumber: "تغيير رقمي",
    goOffline: "إطفاء الهاتف",
    goOnline: "تشغيل الهاتف",
    offline: "الهاتف مطفأ",
    typing: "يكتب…",
    empty: "لا رسائل بعد. اكتب تحية، أو أرسل صورة عدادك.",
    pending: "أُرسلت، ولم يستلمها نظام المؤسسة بعد",
    delivered: "استلمها نظام المؤسسة",
    read: "قُرئت",
    choose: "اختر",
    close: "إغلاق",
    reply: "رد",
    react: "تفاعل 👍",
    edit: "تعديل",
    revoke: "حذف لدى الجميع",
    actions: "خيارات الرسالة",
    answering: "رد على",
    cancel: "إلغاء",
    deleted: "حُذفت هذه الرسالة",
    edited: "معدّلة",
    zoom: "تكبير الصورة",
    photoAlt: "صورة في المحادثة",
    today: "اليوم",
    noConnection: "انقطع الاتصال بالمحاكي. تأكد من أنه يعمل؛ ستعود الصفحة وحدها.",
    notSent: "لم تُرسل الرسالة: ",
    tryAgain: "حاول مرة أخرى.",
    noMicrophone: "لا يمكن استعمال الميكروفون. اسمح به في المتصفح، أو أرسل ملفا صوتيا من «المزيد».",
    noPlace: "لم يُعرف موقعك، فأُرسل موقع في مسقط. اسمح بالموقع في المتصفح لإرسال موقعك.",
    newText: "النص الجديد",
    newNumber: "الرقم الجديد مع رمز الدولة",
    unsupported: "نوع لا يُعرض هنا",
    system: "رسالة من النظام",
    uploading: "جارٍ الرفع",
    downloadFile: "فتح الملف",
    you: "أنت",
    place: "موقع",
    line: "الخط",
    failedToArrive: "لم تصل",
    // trouble
    faults: "المتاعب",
    faultsHint: "تُطبّق فورا على كل ما يأتي بعدها.",
    duplicate_rate: "نسبة التكرار (0–1)",
    reorder: "خلط الترتيب (ثوانٍ)",
    delay: "تأخير الويب هوك (ثوانٍ)",
    skip_delivered_rate: "نسبة إغفال «تم التسليم» (0–1)",
    latency: "بطء الواجهة (ثوانٍ)",
    die_after_accepting: "قبول ثم قطع الاتصال (عدد)",
    media_failures: "فشل تنزيل الملفات (عدد، ‎-1 للكل)",
    media_status: "برمز HTTP",
    media_lookup_failures: "فشل البحث عن ملف (عدد)",
    wrong_signatures: "توقيع خاطئ (عدد)",
    paused: "إيقاف الويب هوك",
    enforce_limits: "فرض حدود الإرسال",
    errorCode: "رمز خطأ للإرسال القادم",
    errorTimes: "كم مرة",
    errorVia: "يصل",
    viaResponse: "في الجواب",
    viaWebhook: "في الويب هوك",
    addError: "إضافة خطأ",
    apply: "تطبيق",
    clear: "إزالة كل المتاعب",
    clock: "الساعة",
    now: "الآن في المحاكي",
    plusHours: "تقديم 24 ساعة",
    plusMinutes: "تقديم 6 دقائق",
    realTime: "العودة إلى الوقت الحقيقي",
    webhook: "الويب هوك",
    webhookUrl: "العنوان",
    verify: "حفظ ومصافحة",
    verified: "تمت المصافحة",
    notVerified: "لم تنجح المصافحة. تأكد من أن النظام يعمل ومن رمز التحقق.",
    retryNow: "أعد ما ينتظر الآن",
    deliveries: "التسليمات",
    time: "الوقت",
    what: "ماذا",
    outcome: "النتيجة",
    attempts: "المحاولات",
    setClock: "ضبط الساعة",
    noDeliveries: "لا تسليمات بعد. أرسل رسالة من أحد الهواتف.",
    waiting: "في الانتظار",
    saved: "طُبّق.",
    state_delivered: "سُلّم", state_retrying: "يُعاد", state_waiting: "ينتظر",
    "state_given up": "تُرك", "state_no webhook": "لا عنوان",
  },
  en: {
    badge: "Emulator / محاكاة — not WhatsApp",
    phones: "Phones to try with",
    phonesHint: "Each phone belongs to a made-up customer, and its messages reach nobody else. Open one and write to the business as a customer would.",
    noPhones: "No phones yet. Add one below.",
    addPhone: "Add a phone",
    number: "Number",
    numberHint: "With its country code, like +968 9000 0001",
    name: "Name",
    userId: "User id without a number",
    userIdHint: "For someone who writes by user name and shows no number, like OM.12345",
    add: "Add",
    trouble: "Make trouble",
    otherLanguage: "العربية",
    chat: "Chat",
    back: "All phones",
    write: "Write a message",
    send: "Send",
    camera: "Take a photograph",
    more: "More",
    photo: "Photograph from this device",
    document: "Document",
    voiceFile: "Sound file as a voice note",
    voice: "Record a voice note",
    stop: "Stop and send",
    location: "My location",
    contact: "Contact card",
    changeNumber: "Change my number",
    goOffline: "Switch the phone off",
    goOnline: "Switch the phone on",
    offline: "The phone is off",
    typing: "typing…",
    empty: "No messages yet. Write a greeting, or send a photograph of your meter.",
    pending: "Sent; the business's system has not taken it yet",
    delivered: "Taken by the business's system",
    read: "Read",
    choose: "Choose",
    close: "Close",
    reply: "Reply",
    react: "React 👍",
    edit: "Edit",
    revoke: "Delete for everyone",
    actions: "Message options",
    answering: "Replying to",
    cancel: "Cancel",
    deleted: "This message was deleted",
    edited: "edited",
    zoom: "Enlarge the photograph",
    photoAlt: "Photograph in the chat",
    today: "Today",
    noConnection: "The emulator cannot be reached. See that it runs; this page comes back by itself.",
    notSent: "The message was not sent: ",
    tryAgain: "Try again.",
    noMicrophone: "The microphone cannot be used. Allow it in the browser, or send a sound file from “More”.",
    noPlace: "Your place is not known, so one in Muscat was sent. Allow location in the browser to send yours.",
    newText: "New text",
    newNumber: "New number with its country code",
    unsupported: "a type not shown here",
    system: "System message",
    uploading: "Uploading",
    downloadFile: "Open the file",
    you: "You",
    place: "Place",
    line: "Line",
    failedToArrive: "Did not arrive",
    faults: "Faults",
    faultsHint: "They hold at once, for all that comes after.",
    duplicate_rate: "Share delivered twice (0–1)",
    reorder: "Shuffle within (seconds)",
    delay: "Delay webhooks (seconds)",
    skip_delivered_rate: "Share without “delivered” (0–1)",
    latency: "Slow API (seconds)",
    die_after_accepting: "Accept, then drop the connection (times)",
    media_failures: "Media downloads fail (times, -1 all)",
    media_status: "with HTTP status",
    media_lookup_failures: "Media look-ups fail (times)",
    wrong_signatures: "Wrong signature (times)",
    paused: "Pause webhooks",
    enforce_limits: "Enforce rate limits",
    errorCode: "Error code for the next sends",
    errorTimes: "Times",
    errorVia: "Told",
    viaResponse: "in the answer",
    viaWebhook: "by webhook",
    addError: "Add error",
    apply: "Apply",
    clear: "Remove all faults",
    clock: "Clock",
    now: "Now, in the emulator",
    plusHours: "24 hours on",
    plusMinutes: "6 minutes on",
    realTime: "Back to real time",
    webhook: "Webhook",
    webhookUrl: "Address",
    verify: "Save and shake hands",
    verified: "Handshake done",
    notVerified: "The handshake failed. See that your system runs and that the verify token is the same.",
    retryNow: "Repeat what waits, now",
    deliveries: "Deliveries",
    time: "Time",
    what: "What",
    outcome: "Outcome",
    attempts: "Attempts",
    setClock: "Set the clock",
    noDeliveries: "No deliveries yet. Send a message from one of the phones.",
    waiting: "waiting",
    saved: "Applied.",
    state_delivered: "delivered", state_retrying: "repeating", state_waiting: "waiting",
    "state_given up": "given up", "state_no webhook": "no address",
  },
};

export const t = (key) => WORDS[lang][key] ?? key;

const locale = lang === "ar" ? "ar-OM" : "en-GB";
const clock = new Intl.DateTimeFormat(locale, { timeZone: ZONE, hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(locale, { timeZone: ZONE, weekday: "long", day: "numeric", month: "long" });
const dayAndTime = new Intl.DateTimeFormat(locale, { timeZone: ZONE, dateStyle: "medium", timeStyle: "medium" });
export const time = (iso) => clock.format(new Date(iso));
export const date = (iso) => day.format(new Date(iso));
export const dateTime = (iso) => dayAndTime.format(new Date(iso));
export const number = (n, digits = 0) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(n);

/** An element with properties, attributes (those with a dash) and children. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value);
    else if (name === "class") made.className = value;
    else made[name] = value;
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/** Puts the page's words in place and keeps the language when one follows a link. */
export function translate(root = document) {
  for (const e of root.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll("[data-t-label]")) {
    e.setAttribute("aria-label", t(e.dataset.tLabel));
    e.title = t(e.dataset.tLabel);
  }
  for (const e of root.querySelectorAll("[data-t-placeholder]")) e.placeholder = t(e.dataset.tPlaceholder);
  for (const e of root.querySelectorAll("a[data-keep-lang]")) e.href = withLang(e.getAttribute("href"));
  for (const e of root.querySelectorAll("a[data-other-lang]")) {
    const other = lang === "ar" ? "en" : "ar";
    e.href = `${location.pathname}?lang=${other}`;
    e.lang = other;
    e.textContent = t("otherLanguage");
  }
}

export const withLang = (path) => (lang === "en" ? `${path}?lang=en` : path);

let toastTimer = 0;
/** Says what went wrong and what to do about it. */
export function toast(words) {
  document.querySelector(".toast")?.remove();
  const box = el("div", { class: "toast", role: "alert" }, el("span", { dir: "auto" }, words));
  box.append(el("button", { type: "button", onclick: () => box.remove() }, t("close")));
  (document.querySelector("dialog[open]") ?? document.body).append(box);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.remove(), 12000);
}

/** A call of the control API; throws an Error with the emulator's own words. */
export async function api(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/_emulator${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error(t("noConnection"));
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error ?? `${answer.status}. ${t("tryAgain")}`);
  return json;
}
