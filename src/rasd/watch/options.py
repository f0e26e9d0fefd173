"""What whoever runs a watch may set by environment: ``RASD_WATCH_*``. What is tried stands in ``watch.yaml``."""

import secrets
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Options(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RASD_WATCH_", extra="ignore")

    database_url: str = Field(
        "", description="a PostgreSQL of its own; empty: database rasd_watch of the embedded one"
    )
    data_dir: Path = Field(
        Path.home() / ".local" / "share" / "rasd-watch",
        description="evidence, browser profiles of the moment, the key",
    )
    secret_key: SecretStr = Field(SecretStr(""), description="empty: made once and kept in the data folder")
    allowed_hosts: list[str] = Field(["localhost", "127.0.0.1", "[::1]"], description="host names served")
    trusted_origins: list[str] = Field(
        [], description="https://… origins that forms may come from, behind a proxy"
    )
    file: Path = Field(
        Path("watch.yaml"),
        description="read by the pages for what lies beside it; `rasd watch serve --file` sets it",
    )
    site: str = Field(
        "http://127.0.0.1:8500",
        description="where people find the watch's pages: in links, alerts and the feed",
    )
    https: bool = Field(False, description="served over HTTPS: secure cookies, HSTS")
    browser: str = Field("", description="path of Chromium or Chrome; empty: the system's")

    def effective_secret_key(self) -> str:
        if key := self.secret_key.get_secret_value():
            return key
        path = self.data_dir / "secret-key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()


options = Options()
