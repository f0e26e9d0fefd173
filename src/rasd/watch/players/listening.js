// Listens to a conversation on a page: which messages of the service came, and when. It is held by its handle only: nothing of
// it stands on the page's window. Times are the page's own, in seconds (performance.now), to 50 ms.
({ selector, box, known, names, settle }) => {
  const LOOK_AFTER = 50; // ms between two looks: changes that follow one another closely are one
  // What is no answer, though new: that somebody types; and, where no selector says which are messages, how his own one fares.
  const TYPING = /^[.…⋯•·\s]*$|^.{0,40}(is typing|are typing|typing|يكتب الآن|يكتب|تكتب|جارٍ الكتابة|جاري الكتابة)[.…\s]*$/iu;
  const FARES = /^(|sent|sending|delivered|seen|read|you|me|now|just now|today|أنت|الآن|اليوم|تم الإرسال|تم التسليم|تمت القراءة|أُرسلت|وصلت|قُرئت)[\s.…⋯✓]*$/iu;
  const CLOCK = /[\s✓]*([\d٠-٩]{1,2}[:.][\d٠-٩]{2}\s*([ap]\.?m\.?|ص|م)?)?[\s✓]*$/iu; // at the end of a message, with its ticks
  const NOT_SAID = "button, [role=button], input, textarea, select, option, label, nav, script, style, noscript, template";

  const now = () => performance.now() / 1000;
  const clean = (text) => text.replace(/[^\S\n]+/g, " ").replace(/\s*\n\s*/g, "\n").trim();
  const messages = []; // { id, text, at, changed, element, gone }
  const of = new WeakMap(); // element → its message; null where it is none
  const was = new WeakMap(); // element that is none → its words
  const most = new Map(Object.entries(known)); // words → how often they stood there at once
  const lines = new Map(); // words → when they first stood there
  const own = []; // what he said and has not been seen on the page yet
  const observed = new WeakSet();
  let place = null; // the smallest part of the page that has both his words and the box
  let news = 0;
  let looked = 0;
  let since = null; // of the changes not looked at yet
  let timer = 0;

  const observer = new MutationObserver(() => {
    since ??= now();
    const next = LOOK_AFTER - (since - looked) * 1000;
    if (next <= 0) look();
    else timer ||= setTimeout(look, next);
  });
  const watching = { subtree: true, childList: true, characterData: true, attributeFilter: ["class", "style", "hidden", "open"] };

  /** The document and every open shadow tree in it: widgets live in them. */
  function roots() {
    const found = [document];
    for (const root of found) {
      if (!observed.has(root)) {
        observed.add(root);
        observer.observe(root, watching);
      }
      for (const element of root.querySelectorAll("*")) if (element.shadowRoot) found.push(element.shadowRoot);
    }
    return found;
  }

  const seen = (element) => element.isConnected && element.checkVisibility({ visibilityProperty: true });
  const words = (element) => {
    const text = clean(element.innerText ?? "");
    const pictures = text ? [] : [...element.querySelectorAll("img")].map((image) => `[${image.alt || "picture"}]`);
    return text || pictures.join(" ");
  };

  function area(root) {
    return root.querySelector("[role=log]") ?? (place?.isConnected ? place : (root.body ?? root));
  }

  function around(echo) {
    let part = box?.parentElement;
    while (part && !part.contains(echo)) part = part.parentElement;
    return part;
  }

  /** The smallest boxes of text: each with the words that stand in it and not in a box within. */
  function blocks(root) {
    const found = new Set();
    const walker = document.createTreeWalker(area(root), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      let element = walker.currentNode.parentElement;
      if (!/[\p{L}\p{N}]/u.test(walker.currentNode.data) || !element || element.closest(NOT_SAID)) continue;
      if (box && (box === element || box.contains(element))) continue;
      while (element.parentElement && /^(inline|contents)/.test(getComputedStyle(element).display)) element = element.parentElement;
      found.add(element);
    }
    return [...found];
  }

  function present() {
    const all = roots();
    const elements = all.flatMap((root) => (selector ? [...root.querySelectorAll(selector)] : blocks(root)));
    if (names) {
      for (const root of all) {
        const text = root.body ? root.body.innerText : [...root.children].map((e) => e.innerText ?? "").join("\n");
        for (const line of clean(text).split("\n")) if (!lines.has(line)) lines.set(line, since ?? now());
      }
    }
    return elements
      .filter(seen)
      .map((element) => [element, words(element)])
      .filter(([, text]) => text && !TYPING.test(text) && (selector || !FARES.test(text.replace(CLOCK, ""))));
  }

  /** Which of his words these are, as the page may write them: with the time, with ticks, with a link made short. */
  const LONG = 8; // signs: what is shorter may stand in any answer
  const signs = (text) => text.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
  const isHis = (text) => {
    const bare = text.replace(CLOCK, "");
    return own.findIndex((each) => {
      const his = signs(each);
      return each === text || each === bare || (his && signs(bare) === his) || (his.length >= LONG && signs(text).includes(his));
    });
  };
  const alike = (one, other) => {
    let n = 0;
    while (n < one.length && one[n] === other[n]) n += 1;
    return n * 2 >= one.length;
  };

  function comes(element, text, at) {
    const message = { id: messages.length, text, at, changed: at, element, gone: false };
    messages.push(message);
    of.set(element, message);
    most.set(text, (most.get(text) ?? 0) + 1);
    news += 1;
  }

  function grows(message, element, text, at) {
    of.set(element, message);
    Object.assign(message, { element, text, changed: at, gone: false });
    most.set(text, Math.max(most.get(text) ?? 0, 1));
    news += 1;
  }

  function look() {
    clearTimeout(timer);
    timer = 0;
    looked = now();
    const here = present();
    const at = since ?? now();
    since = null;
    const left = messages.filter((message) => !message.gone && !seen(message.element)); // drawn anew, or gone
    const drawnAnew = (fits) => left.splice(left.findIndex(fits) >>> 0, 1)[0]; // each but once
    const count = new Map();
    for (const [, text] of here) count.set(text, (count.get(text) ?? 0) + 1);
    const stays = (element, text, message) => {
      of.set(element, message);
      was.set(element, text);
    };
    // What is new, or says something new: the same message that grows, in its place or drawn anew; his own words; then the rest.
    let open = here.filter(([element, text]) => (of.get(element) ? of.get(element).text : was.get(element)) !== text);
    const claim = (claims) => (open = open.filter(([element, text]) => !claims(element, text)));
    claim((element, text) => {
      const message = of.get(element);
      const same = message && (at - message.changed < settle || alike(message.text, text));
      if (same) grows(message, element, text, at);
      return same;
    });
    claim((element, text) => {
      const growing = drawnAnew((each) => at - each.changed < settle && text.startsWith(each.text) && text !== each.text);
      if (growing) grows(growing, element, text, at);
      return growing;
    });
    for (const [element, text] of open) {
      const mine = selector ? -1 : isHis(text);
      if (mine >= 0) {
        own.splice(mine, 1);
        place = around(element);
        for (const each of messages) if (place && !place.contains(each.element)) each.gone = true; // of the page, not of the chat
        stays(element, text, null);
        most.set(text, Math.max(count.get(text), most.get(text) ?? 0));
      } else if (count.get(text) > (most.get(text) ?? 0)) {
        comes(element, text, at);
      } else {
        const same = drawnAnew((each) => each.text === text) ?? null;
        if (same) same.element = element;
        stays(element, text, same);
      }
    }
    for (const message of messages) {
      // What stood there for a moment only was no message: somebody typed, or a wheel turned.
      if (!seen(message.element) && !message.gone && message.changed - message.at < settle && at - message.at < settle) {
        message.gone = true;
        news += 1;
      }
    }
    return news;
  }

  // What stands there already is none of his conversation, but for messages that a selector names: a greeting.
  const first = present();
  since = null;
  const fresh = new Set();
  const more = new Map(most);
  for (const [element, text] of first) {
    const before = more.get(text) ?? 0;
    if (selector && !before) fresh.add(element);
    more.set(text, Math.max(0, before - 1));
  }
  for (const [element, text] of first) {
    if (fresh.has(element)) {
      comes(element, text, now());
    } else {
      of.set(element, null);
      was.set(element, text);
      if (!selector) most.set(text, Math.max(most.get(text) ?? 0, first.filter(([, each]) => each === text).length));
    }
  }

  let sent = 0;

  return {
    now,
    look,
    /** Cheap: it is asked ten times a second. What no observer sees (a shadow tree that came later) is looked for each second. */
    news: () => {
      if (now() - looked > 1) look();
      return news;
    },
    /** He is about to send these words: the key or the button that does it is the moment. */
    sends: (text) => {
      look();
      own.push(clean(text));
      sent = now();
      const until = sent + 10;
      for (const kind of ["keydown", "click"]) {
        document.addEventListener(kind, (event) => event.isTrusted && now() < until && (sent = now()), { capture: true, once: true });
      }
    },
    sent: () => sent,
    state: () => ({
      now: now(),
      news,
      messages: messages.filter((each) => !each.gone).map(({ id, text, at, changed }) => ({ id, text, at, changed })),
      lines: [...lines],
      known: Object.fromEntries(most),
    }),
    stop: () => observer.disconnect(),
  };
}
