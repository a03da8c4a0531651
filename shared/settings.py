"""Every setting, read from the environment once; the only reader of it. Names and defaults are the documentation's."""

import os
import re
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import ConfigError, InvalidCommand

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_KEY_SETTING = "COMPLIANCE_ACCESS_KEY"
DEFAULT_SECRET = "compliance-access-key"


class KeyKind(StrEnum):
    COMPLIANCE = "compliance"
    ADMIN = "admin"


def key_kind(key: str) -> KeyKind:
    """Which kind of key this is, by its prefix. Raises ConfigError with what to do for every other string."""
    key = key.strip()
    if not key:
        raise ConfigError("no key: create a Compliance Access Key (claude.ai, Organization settings, API) and store it")
    if key.startswith("sk-ant-api01-"):
        return KeyKind.COMPLIANCE
    if key.startswith("sk-ant-admin01-"):
        return KeyKind.ADMIN
    if key.startswith("sk-ant-api03-"):
        raise ConfigError(
            "this is a Claude API key (sk-ant-api03-), which cannot read the Compliance API: use a Compliance Access "
            "Key (sk-ant-api01-) or an Admin API key (sk-ant-admin01-)"
        )
    raise ConfigError(
        "this is not a key the Compliance API knows: it must start with sk-ant-api01- (Compliance Access Key) or "
        "sk-ant-admin01- (Admin API key)"
    )


def checked_url(url: str, setting: str) -> str:
    """A base address without a trailing slash. Raises ConfigError: https only (http on loopback), host only."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # a port that is no number shows only when it is asked for
    except ValueError as broken:
        raise ConfigError(
            f"{setting} is no address ({broken}): write something like https://api.anthropic.com"
        ) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConfigError(f"{setting} must be an address such as https://api.anthropic.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"{setting} must start with https://: the key must not cross a network in the clear")
    if parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigError(f"{setting} must be scheme and host only, without a path, a query or credentials")
    return f"{parts.scheme}://{parts.netloc}"


class ConnectionSettings(BaseModel):
    """One parent organization, or one standalone Console organization."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
    key_setting: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")] = DEFAULT_KEY_SETTING
    secret: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,127}$")] = DEFAULT_SECRET
    api_url: str | None = None
    organization_ids: tuple[str, ...] = ()


class Settings(BaseSettings):
    """The bridge's settings; each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    connections: tuple[ConnectionSettings, ...] = Field(
        default=(ConnectionSettings(name="default"),),
        description="JSON list of connections, each with `name`, `secret` (its key's name in the Key Vault) or "
        "`key_setting` (the setting that holds its key), `api_url` and `organization_ids` (to narrow "
        "a parent-wide key). Default: one connection called `default`.",
    )
    compliance_access_key: SecretStr | None = Field(
        default=None,
        description="The key of a connection that names no other `key_setting`; used where no KEY_VAULT_URL is set.",
    )
    compliance_api_url: str = Field(
        default="https://api.anthropic.com", description="Base address of the Compliance API, scheme and host only."
    )
    anthropic_version: str = Field(default="2023-06-01", description="Value of the `anthropic-version` header.")
    ingestion_endpoint: str | None = Field(
        default=None, description="Logs ingestion endpoint of the DCR (or of the DCE with private link)."
    )
    ingestion_audience: str = Field(
        default="https://monitor.azure.com/.default",
        description="Token scope for ingestion; differs in sovereign clouds.",
    )
    dcr_immutable_id: str | None = Field(
        default=None, description="Immutable id of the data collection rule (`dcr-` and 32 hex digits), not its name."
    )
    workspace_id: str | None = Field(
        default=None, description="Workspace (customer) id; lets `init` wait until its first row can be queried."
    )
    query_endpoint: str = Field(
        default="https://api.loganalytics.azure.com",
        description="Log Analytics query endpoint; differs in sovereign clouds.",
    )
    key_vault_url: str | None = Field(
        default=None, description="Key Vault that holds the connections' keys; read at the start of every run."
    )
    state_container_url: str | None = Field(
        default=None, description="Blob container for state, created by the deployment; reached by managed identity."
    )
    state_dir: Path | None = Field(default=None, description="Folder for state when the bridge runs outside Azure.")
    settle_seconds: Annotated[int, Field(ge=30, le=3600)] = Field(
        default=60, description="How long an activity may take to be indexed before it counts as late."
    )
    overlap_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        default=180, description="How far every live window reaches back behind the watermark."
    )
    wide_overlap_seconds: Annotated[int, Field(ge=0, le=86_400)] = Field(
        default=1800, description="How far one live window in ten minutes reaches back."
    )
    page_limit: Annotated[int, Field(ge=1, le=5000)] = Field(default=5000, description="Activities asked for per page.")
    live_seconds: Annotated[int, Field(ge=5, le=600)] = Field(
        default=50, description="Time a live run may take before it saves its progress and ends."
    )
    plan_seconds: Annotated[int, Field(ge=5, le=1200)] = Field(
        default=480, description="Time one run of the plan (history, sweeps, repairs) may take."
    )
    plan_readers: Annotated[int, Field(ge=1, le=20)] = Field(
        default=10,
        description="Planned windows read at once. More than ten cannot be faster: the request budget is shared.",
    )
    request_reserve: Annotated[int, Field(ge=0, le=600)] = Field(
        default=120, description="Requests a minute that planned reading leaves for live reading and other tools."
    )
    uploads_in_flight: Annotated[int, Field(ge=1, le=32)] = Field(default=4, description="Uploads at the same time.")
    identity: Literal["clear", "pseudonymous"] = Field(
        default="clear",
        description="`pseudonymous` writes keyed hashes in place of addresses, IP addresses and user agents.",
    )
    identity_key: SecretStr | None = Field(
        default=None,
        description="Key of those hashes, at least 16 random bytes; with KEY_VAULT_URL the secret `identity-key`.",
    )
    minimize: dict[str, str] = Field(
        default={},
        description="JSON object of category (or `*`) to `full`, `pseudonymous` or `count-only`. Counted activities "
        "leave no row; their ids stay in ledger and proof.",
    )
    deployed_table_versions: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="JSON object of table to its version in the workspace, set by the deployment; what an older table "
        "lacks goes into Details. A table it leaves out is taken to be this release's own; a name that this release "
        "does not know is ignored.",
    )
    poll_schedule: str = Field(default="0 * * * * *", description="NCRONTAB schedule of live runs.")
    plan_schedule: str = Field(default="30 * * * * *", description="NCRONTAB schedule of sweeps, history and repairs.")
    prove_schedule: str = Field(default="0 45 3 * * *", description="NCRONTAB schedule of the daily proof (UTC).")
    prove_repair_rows: Annotated[int, Field(ge=0)] = Field(
        default=100_000,
        description="Rows of each connection that a daily proof may send again where the workspace lacks them; 0: it "
        "only reports. Without WORKSPACE_ID it compares with the ledger.",
    )
    report_schedule: Literal["off", "weekly", "monthly"] = Field(
        default="off", description="Write the compliance report of every whole week (from Monday) or month, UTC."
    )
    report_container_url: str | None = Field(
        default=None,
        description="Blob container of the reports, best with an immutability policy; reached by managed identity.",
    )
    report_signing_key: str | None = Field(
        default=None,
        description="Key Vault key (RSA or P-256) that signs each report's manifest, by its identifier.",
    )
    report_names: bool = Field(
        default=False, description="Name people in the report by their e-mail addresses instead of their ids."
    )
    require_entra: bool = Field(
        default=False, description="Refuse HTTP calls that the platform's sign-in (Easy Auth) has not authenticated."
    )
    website_auth_enabled: bool = Field(
        default=False, description="Set by the platform when App Service authentication is on; not by hand."
    )
    content_names: bool = Field(
        default=False,
        description="Deliver file names and artifact titles (the feed has left them empty since 2026-09-24).",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="Level of the log.")

    @field_validator("compliance_api_url", "query_endpoint", "ingestion_endpoint", "key_vault_url")
    @classmethod
    def _addresses(cls, url: str | None, info: Any) -> str | None:
        return checked_url(url, info.field_name.upper()) if url is not None else None

    @field_validator("state_container_url", "report_container_url")
    @classmethod
    def _container(cls, url: str | None, info: Any) -> str | None:
        try:
            parts = urlsplit(url or "")
        except ValueError:
            parts = urlsplit("")
        if url is not None and (
            parts.scheme != "https" or not re.fullmatch(r"/[a-z0-9](-?[a-z0-9]){2,62}/?", parts.path)
        ):
            raise ConfigError(
                f"{info.field_name.upper()} must be a container's address, such as "
                "https://ACCOUNT.blob.core.windows.net/state"
            )
        return url

    @field_validator("anthropic_version")
    @classmethod
    def _released_version(cls, version: str) -> str:
        try:
            well_formed = date.fromisoformat(version).isoformat() == version  # `20230601` is ISO 8601, too
        except ValueError:
            well_formed = False
        if not well_formed:
            raise ConfigError(
                "ANTHROPIC_VERSION must be the date of a released API version, such as 2023-06-01: remove the setting "
                "to use that one (the API answers 400 to any other value)"
            )
        return version

    @field_validator("dcr_immutable_id")
    @classmethod
    def _rule(cls, rule: str | None) -> str | None:
        if rule is not None and not re.fullmatch(r"dcr-[0-9a-f]{32}", rule):
            raise ConfigError(
                "DCR_IMMUTABLE_ID must be dcr- and 32 hex digits: the rule's immutableId, not its name or resource id"
            )
        return rule

    @model_validator(mode="after")
    def _one_place_for_state(self) -> "Settings":
        if self.state_dir is not None and self.state_container_url is not None:
            raise ConfigError(
                "STATE_DIR and STATE_CONTAINER_URL are both set: state has one place, take one of them out"
            )
        return self

    @model_validator(mode="after")
    def _distinct_names(self) -> "Settings":
        names = [connection.name for connection in self.connections]
        if not names:
            raise ConfigError("CONNECTIONS is an empty list: name at least one connection, or leave the setting out")
        if len(set(names)) < len(names):
            raise ConfigError("CONNECTIONS has a name twice: state is kept by name, so names must differ")
        return self

    def named(self, name: str | None) -> tuple[ConnectionSettings, ...]:
        """The connection called `name`, or all; InvalidCommand with the names there are."""
        found = tuple(each for each in self.connections if name in (None, each.name))
        if not found:
            names = ", ".join(each.name for each in self.connections)
            raise InvalidCommand(f"no connection is called {name}; there are: {names}")
        return found

    def key(self, connection: ConnectionSettings) -> SecretStr:
        """The connection's key as it is in the environment now. Raises ConfigError when missing or of a wrong kind."""
        name = connection.key_setting
        own = self.compliance_access_key if name == DEFAULT_KEY_SETTING else None
        text = own.get_secret_value() if own is not None else os.environ.get(name, "")
        if not text.strip():
            raise ConfigError(
                f"connection {connection.name} is waiting for its key: set {name} to a Compliance Access Key "
                "(claude.ai, Organization settings, API) or an Admin API key"
            )
        try:
            key_kind(text)
        except ConfigError as wrong:
            raise ConfigError(f"{name}: {wrong}") from None
        return SecretStr(text.strip())

    def api_url(self, connection: ConnectionSettings) -> str:
        """Base address for this connection."""
        if connection.api_url is None:
            return self.compliance_api_url
        return checked_url(connection.api_url, f"api_url of connection {connection.name}")

    @property
    def settle(self) -> timedelta:
        return timedelta(seconds=self.settle_seconds)


def load(**overrides: Any) -> Settings:
    """Settings from the environment, with `overrides` on top. Raises ConfigError: one sentence, no values in it."""
    try:
        return Settings(**overrides)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]).upper() or "a setting"
        raise ConfigError(f"{where} is not valid: {first['msg']}") from None
    except ConfigError:
        raise
    except Exception as broken:  # a list or object setting that is no JSON
        raise ConfigError(
            f"a setting cannot be read ({type(broken).__name__}): CONNECTIONS must be a JSON list, MINIMIZE and "
            "DEPLOYED_TABLE_VERSIONS JSON objects"
        ) from None
