"""A browser that goes nowhere without leave: each top-level navigation and each form that is sent is held until it is asked for,
redirects too, which Playwright's own routes do not see.

Only documents are held, so that pictures, styles and scripts cost nothing; the service cannot tell. Frames of third parties
are what any browser loads with a page, and pass.
"""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Error, Page

from rasd.watch.permission import Refusal

Refuse = Callable[[str, bool], Refusal | None]
"""Given the address, and whether something is sent."""
ANSWERS = 5000.0  # milliseconds: a page whose renderer was killed never does
INSIDE = ("about:", "data:", "blob:", "chrome-error:")
"""The browser's own pages: nobody is asked for anything."""


def keep_within(context: BrowserContext, refuse: Refuse) -> list[Refusal]:
    """Guards every page of ``context``, those to come too. What it refuses is in the list that it gives, and was not asked for.

    A window that a page opens by itself is seen when its first answer comes: it is closed at once where nobody gave leave, and
    what it asked for had been asked. The journey ends there, as with any other refusal.
    """
    refused: list[Refusal] = []

    def guard(page: Page) -> None:
        if page.url and not page.url.startswith(INSIDE) and (refusal := refuse(page.url, False)):
            refused.append(refusal)
            page.close()
            return
        try:
            session = context.new_cdp_session(page)
            top = session.send("Page.getFrameTree", timeout=ANSWERS)["frameTree"]["frame"]["id"]
            session.on("Fetch.requestPaused", lambda event: _held(session, event, top, refuse, refused))
            session.send(
                "Fetch.enable",
                {"patterns": [{"resourceType": "Document", "requestStage": "Request"}]},
                timeout=ANSWERS,
            )
        except Error:
            if not page.is_closed():
                raise

    context.on("page", guard)
    for page in context.pages:
        guard(page)
    return refused


def _held(
    session: CDPSession, event: dict[str, Any], top: str, refuse: Refuse, refused: list[Refusal]
) -> None:
    request = event["request"]
    sends = request["method"] not in {"GET", "HEAD"}
    refusal = None
    if event["frameId"] == top or sends:
        refusal = refuse(request["url"], sends)
    try:
        if refusal is None:
            session.send("Fetch.continueRequest", {"requestId": event["requestId"]}, timeout=ANSWERS)
        else:
            refused.append(refusal)
            session.send(
                "Fetch.failRequest",
                {"requestId": event["requestId"], "errorReason": "BlockedByClient"},
                timeout=ANSWERS,
            )
    except Error:  # the page was closed meanwhile, and the request with it
        pass
