/* While one types: "/" offers canned answers, filled in for this customer, and "@" in a note the names of colleagues. */
"use strict";
(() => {
  const field = () => document.querySelector("#text");
  const list = () => document.querySelector("#offers");
  const isNote = () => document.querySelector("#reply [name=as][value=note]")?.checked;
  let asked = 0;

  const typedBefore = () => {
    const before = field().value.slice(0, field().selectionStart);
    const slash = before.match(/(?:^|\s)(\/([\p{L}\p{N}_-]*))$/u);
    if (slash) return { token: slash[1], text: slash[2], from: field().form.dataset.canned };
    const at = isNote() && before.match(/(?:^|\s)(@([\p{L}\p{N}_.+-]*))$/u);
    return at ? { token: at[1], text: at[2], from: field().form.dataset.colleagues } : null;
  };
  const close = () => {
    asked += 1;
    list()?.replaceChildren();
    field()?.removeAttribute("aria-activedescendant");
  };
  const options = () => [...(list()?.querySelectorAll("[role=option]") ?? [])];
  const chosen = () => list()?.querySelector("[aria-selected=true]");
  const choose = (option) => {
    options().forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    if (!option) return;
    field().setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const offer = async () => {
    const wanted = typedBefore();
    if (!wanted) { close(); return; }
    const mine = (asked += 1);
    try {
      const said = await fetch(`${wanted.from}?${new URLSearchParams({ text: wanted.text })}`, { headers: { "HX-Request": "true" } });
      const offered = said.ok && !said.headers.has("HX-Redirect") ? await said.text() : "";
      if (mine !== asked) return;  // one has typed on
      list().innerHTML = offered;
      choose(options()[0]);
    } catch { close(); }
  };
  const take = (option) => {
    const { token } = typedBefore() ?? { token: "" };
    const end = field().selectionStart;
    field().setRangeText(option.dataset.fill, end - token.length, end, "end");
    close();
    field().focus();
    field().dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("input", (event) => { if (event.target === field()) offer(); });
  // Before the composer's own: Enter takes what is chosen and sends nothing.
  document.addEventListener("keydown", (event) => {
    if (event.target !== field() || !options().length) return;
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
    else if ((event.key === "Enter" && !event.isComposing) || event.key === "Tab") take(chosen() ?? all[0]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest?.("#offers [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
  document.addEventListener("focusout", (event) => { if (event.target === field()) close(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-offers]")) return;
    const end = field().value.length;
    field().focus();
    field().setRangeText(`${end && !/\s$/.test(field().value) ? " " : ""}/`, end, end, "end");
    offer();
  });
})();
