"""ServerSettings: what a server is configured with, by our names and those of the first generation.

Every value has a path, such as `lifecycle.auto_start`. The variable of the environment is that path in capitals, with
`QUANTCRAFTER_` before it and `__` for the dot; `FIRST_NAMES` are those of the first generation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from quantcrafter.engine.api.message import Message

PREFIX = "QUANTCRAFTER_"
DELIMITER = "__"
FIRST_NAMES: Mapping[str, str] = {
    "MONGO_URI": "mongo_uri",
    "MONGO_DB": "mongo_db",
    "CONFIG_COLLECTION": "config_collection",
    "AUTO_RELOAD_INTERVAL": "auto_reload_interval",
    "ENABLE_LIFECYCLE": "enable_lifecycle",
    "ENABLE_VNPY": "engines.vnpy.enabled",
    "ENABLE_BACKTRADER": "engines.backtrader.enabled",
    "API_PORT": "api_port",
}
"""The variables of the first generation, with what they set."""

SECRETS = frozenset({"mongo_uri", "store", "notices.channels", "notices.heartbeat_url"})
"""What may hold a password."""
_SEVERITIES = ("info", "warning", "alarm")
PLACES = frozenset({"feed", "broker", "row_feeds", "row_brokers"})
"""What may hold a password among its options."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LifecycleSettings(_Part):
    """Whether schedules start and stop workers, and how often they are looked at, in seconds."""

    auto_start: bool = True
    auto_stop: bool = True
    check_interval_sec: float = Field(30.0, gt=0)


class EngineSettings(_Part):
    """Whether strategy classes of an engine may run."""

    enabled: bool = True


class EnginesSettings(_Part):
    """The engines for strategy classes."""

    vnpy: EngineSettings = EngineSettings()
    backtrader: EngineSettings = EngineSettings()


class MonitoringSettings(_Part):
    """Whether figures are given to Prometheus; they are served at the port of the API."""

    enabled: bool = True
    prometheus_port: int | None = Field(None, ge=1, le=65535)


class NoticeSettings(_Part):
    """Where notices are sent, and how often.

    Args:
        channels: `NAME SEVERITY ADDRESS` each: a name for the status, the least severity that is sent (info, warning,
            alarm), and an address of apprise, or `keyring:` and the name of a secret.
        per_minute: how many messages with an alarm a channel sends in a minute at most, and how many without.
        repeat_s: how long a notice is not sent again after it was sent, in seconds.
        daily_summary: when the summary of the day is sent, as HH:MM; never if empty.
        timezone: the time zone of that.
        heartbeat_url: an address that is asked for every minute, or `keyring:` and the name of a secret.
    """

    channels: Annotated[tuple[str, ...], NoDecode] = ()
    per_minute: int = Field(10, ge=1, le=60)
    repeat_s: float = Field(600.0, ge=0)
    daily_summary: str = Field("", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")
    timezone: str = "UTC"
    heartbeat_url: str = ""

    @field_validator("channels", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take channels with `;` between, as variables have them, or JSON."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [each.strip() for each in value.split(";") if each.strip()]

    @field_validator("channels")
    @classmethod
    def _written(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            parts = each.split(None, 2)
            if len(parts) != 3 or parts[1] not in _SEVERITIES:  # noqa: PLR2004 - the parts that the message names
                raise ValueError(
                    Message("must be NAME info|warning|alarm ADDRESS each, such as 'phone alarm keyring:PHONE'")
                )
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _of_web(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://", "keyring:")):
            raise ValueError(Message("must begin with http://, https://, or keyring: and a name"))
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(Message("must be a time zone, such as Europe/Berlin"))
        return value


class ServerSettings(BaseSettings):
    """The configuration. Empty texts are defaults that depend on the data folder.

    Args:
        store: where strategies are kept: an SQLite file; `strategies.db` in the data folder if empty.
        mongo_uri: a MongoDB with strategies, instead of the file.
        mongo_db: its database.
        config_collection: its collection.
        auto_reload_interval: after how many seconds all rows are read again, also if no change was noticed.
        user_id: whose rows run; those of all users if empty.
        feed: where bars come from, for rows that name no feed.
        broker: who fills the orders of rows that name no broker.
        row_feeds: feeds that rows may name beside the default, `replay`, `synthetic` and `csv`, as they are written.
        row_brokers: brokers that rows may name beside the default and `paper`.
        allow_live: whether rows with `live: true` may trade real money.
        enable_lifecycle: whether strategies keep to the hours of their schedules.
        import_paths: modules and folders to which imports of classes are narrowed further.
        strategy_paths: folders from which rows may name strategy files, beside `strategies` in the data folder.
        strategies: what strategy keys mean: a file, a class, or a mapping with `engine` and `engine_class`.
        notices: where notices are sent, and the heartbeat.
        api_host: the address that the API listens at.
        api_port: its port; 0 for any that is free.
        api_certificate: a file with a certificate for TLS.
        api_certificate_key: the file with its key.
        api_names: the names and addresses under which other computers reach the API itself, with TLS.
        api_proxy: the names under which a proxy with TLS is reached, which hands requests to the API.
        api_open_schema: whether the API page needs no token.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        nested_model_default_partial_update=True,
    )

    store: str = ""
    mongo_uri: str = ""
    mongo_db: str = Field("quantcrafter", min_length=1)
    config_collection: str = Field("watchlist_strategies", min_length=1)
    auto_reload_interval: float = Field(60.0, gt=0)
    user_id: str = ""
    feed: str = Field("replay:60x", min_length=1)
    broker: str = Field("paper", min_length=1)
    row_feeds: Annotated[tuple[str, ...], NoDecode] = ()
    row_brokers: Annotated[tuple[str, ...], NoDecode] = ()
    allow_live: bool = False
    enable_lifecycle: bool = True
    lifecycle: LifecycleSettings = LifecycleSettings()
    engines: EnginesSettings = EnginesSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    notices: NoticeSettings = NoticeSettings()
    import_paths: Annotated[tuple[str, ...], NoDecode] = ()
    strategy_paths: Annotated[tuple[str, ...], NoDecode] = ()
    strategies: Mapping[str, Any] = Field(default_factory=dict)
    api_host: str = Field("127.0.0.1", min_length=1)
    api_port: int = Field(8000, ge=0, le=65535)
    api_certificate: str = ""
    api_certificate_key: str = ""
    api_names: Annotated[tuple[str, ...], NoDecode] = ()
    api_proxy: Annotated[tuple[str, ...], NoDecode] = ()
    api_open_schema: bool = False

    @field_validator(
        "import_paths", "strategy_paths", "row_feeds", "row_brokers", "api_names", "api_proxy", mode="before"
    )
    @classmethod
    def _listed(cls, value: object) -> object:
        """Take names with `;` or commas between, as variables have them, or JSON; feeds have commas of their own."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [each.strip() for each in value.split(";" if ";" in value else ",") if each.strip()]

    @field_validator("mongo_uri")
    @classmethod
    def _of_mongo(cls, value: str) -> str:
        if value and not value.startswith(("mongodb://", "mongodb+srv://", "keyring:")):
            raise ValueError(Message("must begin with mongodb://, mongodb+srv://, or keyring: and a name"))
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given alone: `load_configuration` reads the sources, to tell where each value is from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)
