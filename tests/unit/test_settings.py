"""Settings: what is refused, in one sentence that says what to do and holds no secret."""

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.errors import ConfigError
from shared.settings import DEFAULT_KEY_SETTING, ConnectionSettings, Settings, checked_url, key_kind, load

SECRET = "sk-ant-api01-very-secret-0123456789"
RULE = "dcr-" + "0a" * 16


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests may be read."""
    for name in [*(field.upper() for field in Settings.model_fields), "SECOND_KEY"]:
        monkeypatch.delenv(name, raising=False)


def refused(**settings: Any) -> str:
    """The sentence with which these settings are refused."""
    with pytest.raises(ConfigError) as wrong:
        load(**settings)
    return one_sentence(str(wrong.value))


def one_sentence(said: str) -> str:
    assert "\n" not in said and len(said) < 400 and SECRET not in said
    return said


def test_defaults_start_one_connection() -> None:
    """With nothing set there is one connection, waiting for its key."""
    settings = load()
    (connection,) = settings.connections
    assert (connection.name, connection.key_setting) == ("default", DEFAULT_KEY_SETTING)
    assert settings.api_url(connection) == "https://api.anthropic.com"
    with pytest.raises(ConfigError, match=r"connection default is waiting for its key: set COMPLIANCE_ACCESS_KEY to"):
        settings.key(connection)


def test_the_environment_is_read_by_the_names_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capitals of the field's name; lists are JSON; empty means not set."""
    monkeypatch.setenv("CONNECTIONS", '[{"name":"contoso"},{"name":"fabrikam","key_setting":"SECOND_KEY"}]')
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", f"  {SECRET}\n")
    monkeypatch.setenv("SECOND_KEY", "sk-ant-admin01-other")
    monkeypatch.setenv("DCR_IMMUTABLE_ID", RULE)
    monkeypatch.setenv("STATE_DIR", "")
    monkeypatch.setenv("LIVE_SECONDS", "30")
    settings = load()
    assert [each.name for each in settings.connections] == ["contoso", "fabrikam"]
    assert settings.key(settings.connections[0]).get_secret_value() == SECRET
    assert settings.key(settings.connections[1]).get_secret_value() == "sk-ant-admin01-other"
    assert (settings.dcr_immutable_id, settings.state_dir, settings.live_seconds) == (RULE, None, 30)


def test_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in repr, str or JSON of the settings."""
    monkeypatch.setenv("COMPLIANCE_ACCESS_KEY", SECRET)
    settings = load()
    for shown in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        repr(settings.key(settings.connections[0])),
    ):
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("sk-ant-api03-very-secret", "this is a Claude API key (sk-ant-api03-), which cannot read the Compliance API"),
        ("  ", "is waiting for its key"),
        ("very-secret", "must start with sk-ant-api01- (Compliance Access Key) or sk-ant-admin01- (Admin API key)"),
        ("SK-ANT-API01-very-secret", "must start with sk-ant-api01-"),
        ("@Microsoft.KeyVault(SecretUri=https://very-secret)", "must start with sk-ant-api01-"),
    ],
)
def test_a_wrong_key_is_refused_with_the_setting_and_the_remedy(key: str, says: str) -> None:
    """Each kind of mistake has its own words; the key itself is never among them."""
    settings = Settings(compliance_access_key=SecretStr(key))
    with pytest.raises(ConfigError) as wrong:
        settings.key(settings.connections[0])
    said = one_sentence(str(wrong.value))
    assert says in said and "COMPLIANCE_ACCESS_KEY" in said
    assert "very-secret" not in said + "".join(traceback.format_exception(wrong.value))


def test_both_kinds_of_key_are_known_by_their_prefix() -> None:
    """Compliance Access Keys and Admin keys, with blanks around them."""
    assert key_kind(f" {SECRET}\n") == "compliance" and key_kind("sk-ant-admin01-x") == "admin"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.example.com", "must start with https://"),
        ("https://api.example.com/v1", "scheme and host only, without a path"),
        ("https://api.example.com/?a=b", "scheme and host only"),
        ("https://api.example.com#x", "scheme and host only"),
        (f"https://user:{SECRET}@api.example.com", "or credentials"),
        ("api.example.com", "must be an address such as"),
        ("ftp://api.example.com", "must be an address such as"),
        ("https://", "must be an address such as"),
        ("", "must be an address such as"),
        ("https://[api", "COMPLIANCE_API_URL"),
        ("https://api.example.com:99999", "COMPLIANCE_API_URL"),
        ("https://api.example.com:port", "COMPLIANCE_API_URL"),
        ("http://localhost.example.com", "must start with https://"),
        ("http://127.0.0.1.example.com", "must start with https://"),
    ],
)
@pytest.mark.parametrize("where", ["compliance_api_url", "api_url of a connection"])
def test_an_address_that_is_not_https_and_host_only_is_refused(url: str, says: str, where: str) -> None:
    """For the setting at start, for a connection's own address when that connection is built: always a ConfigError."""
    if where == "compliance_api_url":
        assert says in refused(compliance_api_url=url)
        return
    settings = load(connections=[{"name": "a", "api_url": url}])
    with pytest.raises(ConfigError) as wrong:
        settings.api_url(settings.connections[0])
    assert says.replace("COMPLIANCE_API_URL", "api_url of connection a") in one_sentence(str(wrong.value))


@pytest.mark.parametrize("field", ["ingestion_endpoint", "query_endpoint"])
def test_the_other_endpoints_are_checked_alike(field: str) -> None:
    """Tokens must not cross a network in the clear either, and the sentence names the setting."""
    assert refused(**{field: "http://ingest.example.com"}).startswith(field.upper())
    assert refused(**{field: "https://ingest.example.com/dataCollectionRules/x"}).startswith(field.upper())


@pytest.mark.parametrize("url", ["https://api.example.com/", " https://api.example.com ", "HTTPS://api.example.com"])
def test_harmless_spellings_of_an_address_are_taken(url: str) -> None:
    """A trailing slash, blanks and capitals mean the same address."""
    assert checked_url(url, "X") == "https://api.example.com"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_may_be_plain(host: str) -> None:
    """The sandbox is on this machine."""
    assert checked_url(f"http://{host}:8080", "X") == f"http://{host}:8080"


@pytest.mark.parametrize(
    "rule",
    ["my-rule", "dcr-", "dcr-" + "0" * 31, "dcr-" + "G" * 32, "/subscriptions/0/dataCollectionRules/r", RULE + "0"],
)
def test_a_rule_that_is_not_an_immutable_id_is_refused(rule: str) -> None:
    """A name or a resource id would be a 404 later; the sentence says which id is meant."""
    said = refused(dcr_immutable_id=rule)
    assert said.startswith("DCR_IMMUTABLE_ID must be dcr- and 32 hex digits") and "immutableId" in said


def test_a_name_twice_is_refused() -> None:
    """Two connections of one name would share their state."""
    assert "name twice" in refused(connections=[{"name": "a"}, {"name": "a", "key_setting": "SECOND_KEY"}])


def test_an_empty_list_of_connections_is_refused() -> None:
    """Nothing would run, silently."""
    assert "empty list" in refused(connections=[])


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        ({"name": "Not A Name"}, "CONNECTIONS.0.NAME"),
        ({"name": "../up"}, "CONNECTIONS.0.NAME"),
        ({"name": ""}, "CONNECTIONS.0.NAME"),
        ({"name": "a", "key_setting": SECRET}, "CONNECTIONS.0.KEY_SETTING"),
        ({"name": "a", "key": SECRET}, "CONNECTIONS.0.KEY"),
        ({}, "CONNECTIONS.0.NAME"),
    ],
)
def test_a_connection_that_is_not_well_formed_is_refused(connection: dict[str, Any], says: str) -> None:
    """Also when somebody puts the key itself where its setting's name belongs: it is not repeated."""
    assert says in refused(connections=[connection])


@pytest.mark.parametrize("text", ["contoso", "{", '{"name":"a"'])
def test_connections_that_are_no_json_list_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names CONNECTIONS and what it must be."""
    monkeypatch.setenv("CONNECTIONS", text)
    said = refused()
    assert "CONNECTIONS" in said and SECRET not in said


def test_a_secret_in_broken_json_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote forgotten beside a key must not put the key into a log."""
    monkeypatch.setenv("CONNECTIONS", f'[{{"name":"a","key_setting":"{SECRET}]')
    refused()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("live_seconds", "soon"),
        ("live_seconds", "1"),
        ("plan_readers", "21"),
        ("page_limit", "5001"),
        ("settle_seconds", "0"),
        ("overlap_seconds", "-1"),
        ("log_level", "LOUD"),
    ],
)
def test_a_number_out_of_range_names_its_setting(field: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the setting's name and the bound."""
    monkeypatch.setenv(field.upper(), value)
    assert refused().startswith(f"{field.upper()} is not valid")


def test_versions_of_tables_are_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version a table, none by default; the name of a table of another release does no harm."""
    assert load().deployed_table_versions == {}
    monkeypatch.setenv("DEPLOYED_TABLE_VERSIONS", '{"ClaudeActivity_CL": 2, "ClaudeFromTomorrow_CL": 7}')
    versions = load().deployed_table_versions
    assert versions["ClaudeActivity_CL"] == 2
    assert versions.get("ClaudeBridgeHealth_CL") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"ClaudeActivity_CL": 0}', "DEPLOYED_TABLE_VERSIONS.CLAUDEACTIVITY_CL is not valid: Input should be greater"),
        ('{"ClaudeActivity_CL": "new"}', "DEPLOYED_TABLE_VERSIONS.CLAUDEACTIVITY_CL is not valid: Input should be a"),
        ("1", "DEPLOYED_TABLE_VERSIONS is not valid: Input should be a valid dictionary"),
        ("ClaudeActivity_CL=1", "DEPLOYED_TABLE_VERSIONS JSON objects"),
    ],
)
def test_versions_that_cannot_be_are_refused(text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is a whole number of at least 1, in an object."""
    monkeypatch.setenv("DEPLOYED_TABLE_VERSIONS", text)
    assert says in refused()


def test_a_connection_cannot_be_changed_after_start() -> None:
    """Settings are read once; nothing edits them later."""
    with pytest.raises(ValueError, match="frozen"):
        ConnectionSettings(name="a").name = "b"


def test_every_setting_says_what_it_is_for() -> None:
    """The documentation is rendered from these words."""
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_a_rotated_key_is_seen_without_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection's own key setting is read when it is asked for."""
    settings = load(connections=[{"name": "a", "key_setting": "SECOND_KEY"}])
    for key in (SECRET, "sk-ant-admin01-new"):
        monkeypatch.setenv("SECOND_KEY", key)
        assert settings.key(settings.connections[0]).get_secret_value() == key


def test_state_dir_is_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And JSON settings survive their round trip through the environment."""
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CONNECTIONS", json.dumps([{"name": "a", "organization_ids": ["org_1"]}]))
    settings = load()
    assert settings.state_dir == tmp_path and settings.connections[0].organization_ids == ("org_1",)


@pytest.mark.parametrize("version", ["latest", "2023-6-1", "20230601", "2023-02-30", "2023-06-01 ", "2023-W22-4", "v1"])
def test_an_api_version_that_is_no_date_is_refused(version: str) -> None:
    """The API would answer 400 to every request: the sentence names the setting and the remedy at start-up."""
    said = refused(anthropic_version=version)
    assert "ANTHROPIC_VERSION must be the date of a released API version, such as 2023-06-01" in said


def test_an_api_version_is_a_date() -> None:
    """The default and another release."""
    assert load().anthropic_version == "2023-06-01"
    assert load(anthropic_version="2026-10-21").anthropic_version == "2026-10-21"
