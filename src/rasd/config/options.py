"""What an operator may set: environment variables ``RASD_*``, or the same names in small letters in ``rasd.toml``."""

import re
import secrets
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rasd.config.embedded import EmbeddedPostgres

CHECKOUT = Path(__file__).resolve().parents[3]
MAIL_SCHEMES = {"smtp", "smtps", "smtp+plain"}
IN_CHECKOUT = (CHECKOUT / "pyproject.toml").exists()


class Options(BaseSettings):
    """Each option's meaning is its description; ``rasd check`` prints those in force."""

    model_config = SettingsConfigDict(env_prefix="RASD_", toml_file="rasd.toml", extra="ignore")

    database_url: str = Field("", description="any PostgreSQL 15 or later; empty: the embedded one")
    data_dir: Path = Field(
        CHECKOUT / ".rasd" if IN_CHECKOUT else Path.home() / ".local" / "share" / "rasd",
        description="the folder of the embedded database, the media and the generated secret key",
    )
    secret_key: SecretStr = Field(SecretStr(""), description="empty: made once and kept in the data folder")
    time_zone: str = Field("Asia/Muscat", description="the utility's zone, in which windows open and close")
    utility_name: str = Field("Rasd", description="the utility's name, as customers know it")
    debug: bool = Field(False, description="development only: tracebacks in the browser")
    allowed_hosts: list[str] = Field(["localhost", "127.0.0.1", "[::1]"], description="host names served")
    trusted_origins: list[str] = Field(
        [], description="https://… origins that forms may come from, behind a proxy"
    )
    public_url: str = Field(
        "",
        description="https://… under which customers reach this site; empty: no case's page is told to its customer",
    )
    https: bool = Field(False, description="served over HTTPS: secure cookies, HSTS, redirect from http")
    log_format: str = Field("json", description="json, or console for people")
    log_level: str = Field("INFO")
    media_bucket: str = Field("", description="S3 bucket for media; empty: files in the data folder")
    webhook_max_bytes: int = Field(
        4 * 1024 * 1024, description="largest webhook body; Meta's own limit is 3 MB"
    )

    webhooks_to_private: bool = Field(
        False,
        description="let the API's webhooks call http:// and private or loopback addresses; for tests and the demo",
    )

    eye: str = Field("", description="folder of the weights that read photographs; empty: those shipped")
    shadow_eye: str = Field(
        "",
        description="folder of weights on trial: they read the same photographs and nobody is told; empty: none",
    )

    whatsapp_api_url: str = Field("https://graph.facebook.com/v23.0", description="or the emulator's address")
    whatsapp_token: SecretStr = SecretStr("")
    whatsapp_app_secret: SecretStr = SecretStr("")
    whatsapp_verify_token: SecretStr = SecretStr("")

    email_url: SecretStr = Field(
        SecretStr(""),
        description="mail server for escalations: smtp://user:password@host:587 (STARTTLS), smtps://…:465 (TLS), "
        "smtp+plain://host:25 (neither); empty: e-mail is printed, not sent",
    )
    email_from: str = Field("", description="the sender's address; empty: rasd@ the mail server's host")

    @field_validator("email_url")
    @classmethod
    def _known_mail_server(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.geturl() and (parts.scheme not in MAIL_SCHEMES or not parts.hostname):
            raise ValueError(
                "not smtp://, smtps:// or smtp+plain:// with a host, such as smtp://user:password@host:587"
            )
        return url

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is not a time zone of the IANA list, such as Asia/Muscat") from error
        return name

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^/?#\s]+/*", url):
            raise ValueError(
                f"{url!r} is no address of a site, such as https://service.example.om (no path after it)"
            )
        return url.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @cached_property
    def embedded(self) -> EmbeddedPostgres | None:
        """The embedded server, or None where ``database_url`` names another."""
        return None if self.database_url else EmbeddedPostgres(self.data_dir / "postgres")

    @property
    def effective_database_url(self) -> str:
        return self.embedded.url if self.embedded else self.database_url

    def effective_secret_key(self) -> str:
        """The set key, or one made at the first start and kept in the data folder for its owner's eyes only."""
        if key := self.secret_key.get_secret_value():
            return key
        path = self.data_dir / "secret-key"
        try:
            return path.read_text()
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(64))
            try:
                path.hardlink_to(draft)  # the first of several processes wins, and all read the same
            except FileExistsError:
                pass
            finally:
                draft.unlink()
            return path.read_text()


options = Options()
