"""Pictures of a page as a person sees it, small, with every secret on it covered."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playwright.sync_api import CDPSession, Error, Page

from rasd.watch.players.masking import Box, covered, holds

QUALITY = 60
"""JPEG: Arabic text of 14 CSS pixels is still easily read at it (looked at)."""

DRAWS = 10_000.0  # milliseconds within which a page is drawn: a healthy one takes some hundredths of a second


def picture(page: Page, session: CDPSession, secrets: Sequence[str]) -> bytes:
    """What is in the window, as JPEG, one pixel to a CSS pixel. ``session``: the page's own DevTools session. Raises
    playwright's Error.

    The page is searched before and after the picture, so that a secret that comes or goes meanwhile is covered too. Nothing is
    asked for that the page could notice: Playwright's own screenshots resize the window for a moment.
    """
    secrets = [each for each in secrets if each]
    hidden = list(_places(page, session, secrets)) if secrets else []
    shot = session.send(
        "Page.captureScreenshot",
        {"format": "jpeg", "quality": QUALITY, "optimizeForSpeed": True},
        timeout=DRAWS,
    )
    data = base64.b64decode(shot["data"])
    if not secrets:
        return data
    hidden += _places(page, session, secrets)
    view = session.send("Page.getLayoutMetrics", timeout=DRAWS)["cssVisualViewport"]
    return covered(data, hidden, view["clientWidth"])


def _places(page: Page, session: CDPSession, secrets: Sequence[str]) -> Iterator[Box]:
    """Where secrets stand in the window, in CSS pixels of it; frames of other origins, which are processes of their own, too."""
    yield from _in(session, secrets, (0.0, 0.0))
    for frame in page.frames[1:]:
        try:
            own = page.context.new_cdp_session(frame)
        except Error:  # of the same process: it was in the page's own snapshot
            continue
        try:
            if place := frame.frame_element().bounding_box():
                yield from _in(own, secrets, (place["x"], place["y"]))
        finally:
            own.detach()


def _in(session: CDPSession, secrets: Sequence[str], offset: tuple[float, float]) -> Iterator[Box]:
    found = session.send("DOMSnapshot.captureSnapshot", {"computedStyles": []}, timeout=DRAWS)
    for document in found["documents"]:
        for node in _holding(document["nodes"], found["strings"], secrets):
            try:
                quads = session.send("DOM.getContentQuads", {"backendNodeId": node})["quads"]
            except Error:  # it is not drawn
                continue
            for quad in quads:
                across, down = quad[0::2], quad[1::2]
                yield (
                    min(across) + offset[0], min(down) + offset[1], max(across) + offset[0], max(down) + offset[1]
                )  # fmt: skip


def _holding(nodes: Mapping[str, Any], strings: Sequence[str], secrets: Sequence[str]) -> Iterator[int]:
    """Nodes (by the browser's own number) in which a secret stands: typed, as a placeholder, or in texts that lie together."""
    numbers = nodes["backendNodeId"]
    for kind in ("inputValue", "textValue"):
        for index, value in zip(nodes[kind]["index"], nodes[kind]["value"], strict=True):
            if holds(strings[value], secrets):
                yield numbers[index]
    for index, attributes in enumerate(nodes["attributes"]):
        for name, value in zip(attributes[0::2], attributes[1::2], strict=True):
            if strings[name] in {"placeholder", "value", "alt"} and holds(strings[value], secrets):
                yield numbers[index]
    texts = [
        (index, strings[value])
        for index, value in enumerate(nodes["nodeValue"])
        if value >= 0 and nodes["nodeType"][index] == 3
    ]
    ends, whole = [], ""
    for _, text in texts:
        whole += text
        ends.append(len(whole))
    for start, end in holds(whole, secrets):
        for (index, text), stop in zip(texts, ends, strict=True):
            if stop > start and stop - len(text) < end:
                yield numbers[index]
