// The recorder's page: shows what comes, and passes on what he does, in the order in which he does it.
(() => {
  const $ = (id) => document.getElementById(id)
  const messages = JSON.parse($("messages").textContent)
  let began = Date.now()
  let state = {}, waiting = [], sending = false, typed = null, last = ""

  const send = (order) => {
    const before = waiting.at(-1)
    if (before && before.do === order.do && (order.do === "move" || order.do === "type")) waiting.pop()
    if (before?.do === "scroll" && order.do === "scroll") {
      waiting.pop()
      order = { do: "scroll", dx: before.dx + order.dx, dy: before.dy + order.dy }
    }
    waiting.push(order)
    flush()
  }
  const flush = async () => {
    if (sending || !waiting.length) return
    sending = true
    const batch = waiting
    waiting = []
    try { await fetch("orders", { method: "POST", body: JSON.stringify(batch) }) } catch { /* the line told it already */ }
    sending = false
    flush()
  }

  // What comes
  const line = new EventSource("live")
  line.addEventListener("frame", ({ data }) => { if ($("frame")) $("frame").src = `data:image/jpeg;base64,${data}` })
  line.addEventListener("state", ({ data }) => { show(JSON.parse(data)) })
  line.onerror = () => { if (!state.finished) say("gone") }
  const say = (name, more = "") => { $("hint").textContent = name ? `${messages[name] ?? ""}${more}` : "" }

  const show = (now) => {
    const old = state
    state = now
    began = now.began
    if (now.finished) {
      line.close()
      say("finished")
      for (const each of document.querySelectorAll("button, input, textarea, select")) each.disabled = true
      location.replace("page")
      return
    }
    $("url").textContent = now.url
    document.body.classList.toggle("picking", now.picking)
    $("pick").setAttribute("aria-pressed", now.picking)
    $("chat").setAttribute("aria-pressed", now.chat)
    if ($("typing")) {
      showField(now.field, old.field)
      showList(now.list, old.list)
    }
    $("file").hidden = !now.file
    $("proof").hidden = !now.picking
    if (now.found && now.found !== old.found) {
      $("proved").value = now.found
      $("proved").focus()
    }
    if (now.message) say(now.message)
    else if (now.picking) say("pick")
    else if (now.proofs?.length) say("second_look")
    else say(now.chat ? "chat" : now.deeds < 2 ? "begin" : "")
  }
  const showField = (field, old) => {
    $("typing").hidden = !field
    if (!field) { typed = null; return }
    const box = field.lines ? $("words") : $("line")
    $("words").hidden = !field.lines
    $("line").hidden = field.lines
    if (!field.lines) $("line").type = /^(text|search)$/.test(field.type) ? "text" : field.type
    const label = $("typing").querySelector("label")
    label.htmlFor = box.id
    label.textContent = field.said || messages.field
    if (field.id !== typed) {
      typed = field.id
      box.value = field.value
      last = field.value
      if (matchMedia("(pointer: fine)").matches && document.activeElement !== $("glass")) box.focus()
    } else if (field.value !== last && document.activeElement !== box) {
      box.value = last = field.value
    }
  }
  const showList = (list, old) => {
    $("list").hidden = !list
    if (!list || JSON.stringify(list) === JSON.stringify(old)) return
    $("list").querySelector("label").textContent = list.said
    $("choices").replaceChildren(...list.choices.map(([n, words]) => new Option(words, n, false, words === list.value)))
    $("choices").focus()
  }

  // The picture: a short touch presses, a drag and a wheel scroll.
  const glass = $("glass"), frame = $("frame")
  const at = ({ clientX, clientY }) => {
    const box = frame.getBoundingClientRect()
    return { x: (clientX - box.x) / box.width, y: (clientY - box.y) / box.height }
  }
  const within = ({ x, y }) => x >= 0 && x <= 1 && y >= 0 && y <= 1
  const wide = () => (state.size?.[0] ?? 412) / frame.getBoundingClientRect().width
  let down = null, moved = 0
  glass?.addEventListener("pointerdown", (event) => {
    glass.focus({ preventScroll: true })
    down = { x: event.clientX, y: event.clientY, far: false }
    glass.setPointerCapture(event.pointerId)
    event.preventDefault()
  })
  glass?.addEventListener("pointermove", (event) => {
    if (down) {
      const dx = down.x - event.clientX, dy = down.y - event.clientY
      if (!down.far && Math.hypot(dx, dy) < 8) return
      Object.assign(down, { x: event.clientX, y: event.clientY, far: true })
      send({ do: "scroll", dx: dx * wide(), dy: dy * wide() })
    } else if (event.pointerType === "mouse" && event.timeStamp - moved > 100 && within(at(event))) {
      moved = event.timeStamp
      send({ do: "move", ...at(event) })
    }
  })
  glass?.addEventListener("pointerup", (event) => {
    const place = at(event)
    if (down && !down.far && within(place)) send({ do: "tap", ...place })
    down = null
  })
  glass?.addEventListener("pointercancel", () => { down = null })
  glass?.addEventListener("wheel", (event) => {
    event.preventDefault()
    send({ do: "scroll", dx: event.deltaX, dy: event.deltaY })
  }, { passive: false })
  const KEYS = /^(Tab|Enter|Backspace|Delete|Arrow(Up|Down|Left|Right)|Home|End|PageUp|PageDown)$/
  glass?.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.key === "Escape") { $("pick").focus(); return }
    if (!KEYS.test(event.key) && [...event.key].length !== 1) return
    event.preventDefault()
    send({ do: "key", key: event.key === "Tab" && event.shiftKey ? "Shift+Tab" : event.key })
  })

  // The fields beside it
  for (const box of [$("words"), $("line")].filter(Boolean)) {
    box.addEventListener("input", () => { last = box.value; send({ do: "type", value: box.value }) })
  }
  const forms = {
    typing: () => { send({ do: "key", key: "Enter" }) },
    list: () => { send({ do: "choose", n: Number($("choices").value) }) },
    proof: () => { send({ do: "proof", words: $("proved").value }) },
  }
  for (const [id, does] of Object.entries(forms)) {
    $(id)?.addEventListener("submit", (event) => { event.preventDefault(); does() })
  }
  const give = async (name, body) => {
    await fetch("file", { method: "POST", body, headers: { "X-Name": encodeURIComponent(name) } })
    $("given").value = ""
  }
  $("given").addEventListener("change", () => { const [file] = $("given").files; if (file) give(file.name, file) })
  $("drawn").addEventListener("click", () => give("photograph", ""))
  $("nofile").addEventListener("click", () => send({ do: "no_file" }))
  $("file").addEventListener("submit", (event) => event.preventDefault())

  // The bar
  $("back")?.addEventListener("click", () => send({ do: "back" }))
  $("pick").addEventListener("click", () => { $("proved").value = ""; send({ do: "pick", on: !state.picking }) })
  $("nopick").addEventListener("click", () => send({ do: "pick", on: false }))
  $("chat").addEventListener("click", () => send({ do: "chat", on: !state.chat }))
  $("finish").addEventListener("click", () => {
    if (!state.proofs?.length) { say("no_proof"); return }
    $("finishing").showModal()
  })
  $("stuck").addEventListener("click", () => $("giving-up").showModal())
  $("finishing").addEventListener("close", () => {
    if ($("finishing").returnValue === "yes") send({ do: "finish", title: $("title").value })
  })
  $("giving-up").addEventListener("close", () => {
    if ($("giving-up").returnValue === "yes") send({ do: "give_up", why: $("why").value, words: $("expected").value })
  })
  setInterval(() => {
    const seconds = Math.floor((Date.now() - began) / 1000)
    $("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`
  }, 1000)
})()
