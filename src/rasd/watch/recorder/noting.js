// In every frame while an errand is recorded: tells what he does. A press is held until it is known what is written on the thing that
// he presses, and is then let go; nothing else is touched. REMOTE: he sees pictures only, and lists that open outside the page
// are shown to him elsewhere.
((REMOTE) => {
  if (window.rasdNoting || !window.rasdNote) return
  const frame = Math.random().toString(36).slice(2, 10)
  const HELD_AT_MOST = 4000 // milliseconds: then he presses, whatever became of who listens
  const things = new Map(), names = new WeakMap(), held = new Map()
  let last = 0, passing = false, entered = false

  const idOf = (element) => {
    if (!names.has(element)) {
      names.set(element, `${frame}-${++last}`)
      things.set(names.get(element), new WeakRef(element))
    }
    return names.get(element)
  }
  const BUTTONS = /^(submit|button|reset|image|hidden)$/
  const kindOf = (element) => {
    if (element.tagName === "SELECT") return "list"
    if (element.tagName === "TEXTAREA" || element.isContentEditable) return "text"
    if (element.tagName !== "INPUT" || BUTTONS.test(element.type)) return ""
    if (/^(checkbox|radio)$/.test(element.type)) return "tick"
    return element.type === "file" ? "file" : "text"
  }
  const hostOf = (element) => {
    while (element.isContentEditable && element.parentElement?.isContentEditable) element = element.parentElement
    return element
  }
  const target = (event) => {
    const first = event.composedPath()[0]
    return hostOf(first.nodeType === Node.ELEMENT_NODE ? first : first.parentElement ?? document.documentElement)
  }
  const text = (words) => (words ?? "").replace(/\s+/g, " ").trim().slice(0, 200)
  // A label in two pieces ("E-mail", "required") is read as two, though only the style keeps them apart.
  const written = (label) => {
    if (!label?.children.length) return label?.innerText
    const texts = document.createTreeWalker(label, NodeFilter.SHOW_TEXT), pieces = []
    while (texts.nextNode()) if (!texts.currentNode.parentElement.closest("select, textarea, script, style")) pieces.push(texts.currentNode.data)
    return pieces.join(" ")
  }
  const saidBy = (element) =>
    text(element.getAttribute("aria-label")) || text(written(element.labels?.[0])) || text(element.placeholder) ||
    text(kindOf(element) ? "" : element.innerText) || text(BUTTONS.test(element.type) ? element.value : "") ||
    text(element.title || element.alt)
  const tell = (kind, element, more = {}) => {
    const box = element.getBoundingClientRect()
    return window.rasdNote({
      kind, id: idOf(element), box: [box.x, box.y, box.width, box.height], said: saidBy(element), ...more,
    })
  }
  const fieldOf = (element) => ({
    type: element.isContentEditable ? "text" : element.type,
    meaning: /^(|on|off)$/.test(element.autocomplete ?? "") ? "" : element.autocomplete,
    lines: element.tagName === "TEXTAREA" || element.isContentEditable,
    value: element.isContentEditable ? element.innerText : element.value ?? "",
  })

  addEventListener("click", (event) => {
    if (!event.isTrusted || passing || entered) return
    const element = target(event), kind = kindOf(element)
    const control = element.closest("a, button") ? null : element.closest("label")?.control
    if (kind && kind !== "file" || control && kindOf(control) !== "file") return
    event.preventDefault()
    event.stopImmediatePropagation()
    const { clientX, clientY, detail } = event, at = `${frame}-${++last}`
    held.set(at, () => {
      passing = true
      try {
        element.dispatchEvent(new MouseEvent("click", {
          bubbles: true, cancelable: true, composed: true, view: window, clientX, clientY, detail,
        }))
      } finally { passing = false }
    })
    setTimeout(() => go(at), HELD_AT_MOST)
    tell("press", element, { held: at, ...(detail ? { x: clientX, y: clientY } : {}) }) // by a key it has no place
  }, true)
  const go = (at) => {
    const press = held.get(at)
    held.delete(at)
    press?.()
  }

  addEventListener("keydown", (event) => {
    const element = target(event)
    if (!event.isTrusted) return
    if (REMOTE && isSmallList(element) && /^(Enter| )$/.test(event.key)) return offer(event, element)
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || kindOf(element) !== "text") return
    entered = true // a form that is sent by it presses its own button: that is not his press
    setTimeout(() => { entered = false })
    tell("enter", element, fieldOf(element))
  }, true)
  addEventListener("input", (event) => {
    const element = target(event)
    if (event.isTrusted && kindOf(element) === "text") tell("typed", element, fieldOf(element))
  }, true)
  addEventListener("change", (event) => {
    const element = target(event), kind = kindOf(element)
    if (!event.isTrusted) return
    if (kind === "tick") tell("ticked", element, { on: element.checked })
    if (kind === "list") tell("chose", element, { choices: [...element.selectedOptions].map((each) => text(each.label)) })
  }, true)
  addEventListener("focusin", (event) => {
    const element = target(event)
    if (kindOf(element) === "text" && !element.readOnly) tell("focus", element, fieldOf(element))
  }, true)
  addEventListener("focusout", (event) => {
    if (kindOf(target(event)) === "text") tell("blur", target(event))
  }, true)

  const isSmallList = (element) => element.tagName === "SELECT" && !element.multiple && element.size < 2 && !element.disabled
  const offer = (event, element) => {
    event.preventDefault()
    element.focus()
    const choices = [...element.options].map((each, n) => [n, text(each.label)]).filter(([n]) => !element.options[n].disabled)
    tell("list", element, { choices, value: text(element.selectedOptions[0]?.label) })
  }
  if (REMOTE) {
    addEventListener("mousedown", (event) => {
      if (event.isTrusted && isSmallList(target(event))) offer(event, target(event))
    }, true)
  }

  // How he came to this page: by going back, or by an address that he wrote himself.
  if (window === top) addEventListener("pageshow", (event) => {
    const how = performance.getEntriesByType("navigation")[0]?.type ?? ""
    tell("came", document.documentElement, { how: event.persisted ? "back_forward" : how, referrer: document.referrer })
  })

  // The words at a place, as much of them as stands in one block: what he points at as proof.
  const wordsAt = (x, y) => {
    const range = document.caretRangeFromPoint(x, y)
    let element = range?.startContainer?.parentElement ?? document.elementFromPoint(x, y)
    while (element?.parentElement && /^(inline|contents)$/.test(getComputedStyle(element).display)) element = element.parentElement
    const words = text(element?.innerText)
    return words.length > 160 && range ? text(range.startContainer.data ?? words) : words
  }
  window.rasdNoting = {
    go, wordsAt, drop: (at) => held.delete(at),
    thing: (id) => things.get(id)?.deref() ?? null,
    // 2: this very thing; 1: it is in this one; 0: neither
    holds: (element, id) => {
      const thing = things.get(id)?.deref()
      return !thing ? 0 : thing === element ? 2 : element.contains(thing) ? 1 : 0
    },
  }
})(REMOTE)
