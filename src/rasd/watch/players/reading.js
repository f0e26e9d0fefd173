// The words that a person can read on this page, in reading order: one line a block. Not what is there for screen readers only,
// nor what is transparent, without size or beside the page. Reads; changes nothing.
() => {
  const lines = []
  let line = "", block = null
  const seen = new Map()
  const shown = (element) => {
    if (seen.has(element)) return seen.get(element)
    let is = element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true })
    if (is && getComputedStyle(element).overflow !== "visible") {
      const box = element.getBoundingClientRect()
      is = box.width > 1 && box.height > 1
    }
    is = is && (!element.parentElement || shown(element.parentElement))
    seen.set(element, is)
    return is
  }
  const blockOf = (element) => {
    while (element.parentElement && /^(inline|contents)$/.test(getComputedStyle(element).display)) element = element.parentElement
    return element
  }
  const add = (text, element) => {
    const now = blockOf(element)
    if (now !== block) { lines.push(line); line = ""; block = now }
    line += text
  }
  // What he typed himself is no news: only fields that he cannot change are read.
  const saidBy = (element) => {
    if (element.tagName === "SELECT") return element.selectedOptions[0]?.text
    if (element.tagName === "TEXTAREA") return element.readOnly || element.disabled ? element.value : ""
    if (element.tagName !== "INPUT" || /^(password|hidden|checkbox|radio|file)$/.test(element.type)) return ""
    return /^(submit|button|reset)$/.test(element.type) || element.readOnly || element.disabled ? element.value : ""
  }
  const range = document.createRange()
  const read = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.ELEMENT_NODE) {
        if (node.shadowRoot) read(node.shadowRoot)
        if (node.tagName === "BR") { lines.push(line); line = "" }
        const said = saidBy(node)
        if (said && shown(node)) add(` ${said} `, node)
        continue
      }
      const element = node.parentElement
      if (!node.data.trim() || !element || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE|OPTION|TEXTAREA)$/.test(element.tagName)) {
        if (line && /\s/.test(node.data)) line += " "
        continue
      }
      if (!shown(element)) continue
      range.selectNodeContents(node)
      const box = range.getBoundingClientRect()
      if (box.width < 1 || box.height < 1 || box.right + scrollX <= 0 || box.bottom + scrollY <= 0) continue
      add(node.data, element)
    }
  }
  if (document.body) read(document.body)
  lines.push(line)
  return lines.map((each) => each.replace(/\s+/g, " ").trim()).filter(Boolean).join("\n")
}
