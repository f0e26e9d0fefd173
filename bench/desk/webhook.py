"""Messages as Meta delivers them, signed, over connections that are kept."""

import asyncio
import json
import time
from urllib.parse import urlsplit

from bench.ingest import Connection


class Door:
    """One connection."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._secret = urlsplit(url), secret
        self._connection = self._connected()
        self._run = str(time.time_ns())

    async def deliver(self, number: str, text: str, key: str) -> int:
        """From ``number`` (E.164) to the first line; the HTTP status."""
        sender = number.removeprefix("+")
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "96824000001", "phone_number_id": "100000000000001"},
            "contacts": [{"profile": {"name": "زبون"}, "wa_id": sender}],
            "messages": [
                {
                    "from": sender,
                    "id": f"wamid.desk.{self._run}.{key}",
                    "timestamp": str(int(time.time())),
                    "type": "text",
                    "text": {"body": text},
                }
            ],
        }
        entry = {"id": "1", "changes": [{"value": value, "field": "messages"}]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        try:
            return await self._connection.post(body)
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
        ):  # it was quiet for seconds, and the server closed it
            self._connection = self._connected()
            return await self._connection.post(body)

    def _connected(self) -> Connection:
        return Connection(self._url.hostname or "127.0.0.1", self._url.port or 80, self._secret)
