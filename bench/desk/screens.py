"""Real browsers with a conversation open: when a message stands on the screen, by the machine's own clock."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bench.desk.timing import Times

WATCH = """
window.seen = {};
const look = (node) => {
  for (const found of (node.textContent || "").matchAll(/probe-\\d+-\\d+/g)) window.seen[found[0]] ??= Date.now();
};
document.addEventListener("DOMContentLoaded", () => {
  look(document.body);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(look)))
    .observe(document.body, { childList: true, subtree: true });
});
"""


@asynccontextmanager
async def browsers(url: str, shown: dict[int, dict[str, str]]) -> AsyncIterator[list[Any]]:
    """A page for each conversation in ``shown``, with the cookies of who looks at it. None where Playwright is not installed."""
    if not shown:
        yield []
        return
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("RASD_BROWSER") or None, args=["--no-sandbox"]
        )
        try:
            pages = []
            for conversation, cookies in shown.items():
                context = await browser.new_context(viewport={"width": 1440, "height": 900})
                await context.add_cookies([{"name": k, "value": v, "url": url} for k, v in cookies.items()])
                await context.add_init_script(WATCH)
                page = await context.new_page()
                await page.goto(f"{url}/conversations/{conversation}?mine=1")
                pages.append(page)
            yield pages
        finally:
            await browser.close()


async def times_of(pages: list[Any], sent: dict[str, float], since: float) -> Times:
    """Milliseconds from the webhook to the screen, of what was sent after ``since`` (Unix time)."""
    found = Times()
    for page in pages:
        for probe, at in (await page.evaluate("window.seen")).items():
            if sent.get(probe, 0.0) >= since:
                found.add(at - 1000 * sent[probe])
    return found
