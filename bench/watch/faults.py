"""Faults put in by a proxy before an application that knows nothing of them: mitmproxy in reverse, with this as its addon.

``mitmdump -s faults.py --set faults=FILE``: the file says, in JSON, what is wrong now and what time it is believed to be:
``{"now": "2026-11-22T02:10:00+04:00", "faults": [{"kind": "slow_at_night", "path": "/checkout", "seconds": 12}]}``. It is read
at each request, so that a rehearsal turns faults on and off while the browser walks.

Runs in the proxy's own environment; :func:`before` starts it.
"""

import asyncio
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from mitmproxy import ctx, http

NIGHT = range(0, 6)  # hours by the file's clock
SAME_ANSWER = "وصلنا طلبك، وقد أرسلنا بريدًا إلى القسم المختص. سنوافيك بالرد."
HIDDEN = "<style>@media (max-width: 600px) {{ {selector} {{ display: none !important; }} }}</style>"


class Faults:
    def load(self, loader: Any) -> None:
        loader.add_option("faults", str, "", "the file that says what is wrong now")

    def _now(self) -> tuple[datetime, list[dict[str, Any]]]:
        state = json.loads(Path(ctx.options.faults).read_text("utf-8"))
        return datetime.fromisoformat(state["now"]), state["faults"]

    def _of(self, kind: str, path: str) -> dict[str, Any] | None:
        now, faults = self._now()
        for fault in faults:
            if fault["kind"] == kind and re.search(fault.get("path", ""), path):
                if kind == "slow_at_night" and now.hour not in NIGHT:
                    continue
                return fault
        return None

    async def request(self, flow: http.HTTPFlow) -> None:
        path = flow.request.path
        if fault := self._of("slow_at_night", path):
            await asyncio.sleep(fault["seconds"])
        if self._of("assets_missing", path) and re.search(r"\.(js|css)(\?|$)", path):
            flow.response = http.Response.make(404, b"", {"Content-Type": "text/plain"})
        elif flow.request.method == "POST" and self._of("form_loses", path):
            # As a session that was lost does: back to the form, and nothing typed is there any more.
            back = flow.request.headers.get("Referer", flow.request.url)
            flow.response = http.Response.make(303, b"", {"Location": back})
        elif fault := self._of("error", path):
            flow.response = http.Response.make(
                fault.get("status", 500), b"<h1>Server Error</h1>", {"Content-Type": "text/html"}
            )
        elif self._of("down", path):
            flow.kill()

    def response(self, flow: http.HTTPFlow) -> None:
        fault = self._of("hidden_on_phones", flow.request.path)
        if fault and flow.response and "text/html" in flow.response.headers.get("Content-Type", ""):
            style = HIDDEN.format(selector=fault["selector"])
            flow.response.headers.pop(
                "Content-Security-Policy", None
            )  # a service that hides a button allows its own style
            flow.response.text = (flow.response.text or "").replace("</head>", style + "</head>", 1)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """The chat's robot says the same for ever, whatever it is asked. Socket.IO's frames of Chainlit's answers."""
        message = flow.websocket.messages[-1] if flow.websocket else None
        if message is None or message.from_client or not self._of("same_answer", flow.request.path):
            return
        same = json.dumps(SAME_ANSWER, ensure_ascii=False)
        if '"assistant_message"' in message.text:
            message.text = re.sub(
                r'("output": ?)"(?:[^"\\]|\\.)+"', lambda found: found[1] + same, message.text
            )


addons = [Faults()]
