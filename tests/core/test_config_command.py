"""`chatguard config`: what it shows, and what it does not."""

import json

import typer
from typer.testing import CliRunner

from processor.cli import config
from processor.ops.settings import Settings, leaves

SECRET = "tiger-in-the-tank"
SECURED = {
    "CHATGUARD_KAFKA__SECURITY__PROTOCOL": "SASL_PLAINTEXT",
    "CHATGUARD_KAFKA__SECURITY__USERNAME": "im",
    "CHATGUARD_KAFKA__SECURITY__PASSWORD": SECRET,
    "CHATGUARD_REDIS__URL": f"redis://im:{SECRET}@cache.example",
}


def chatguard(*arguments: str, **environment: str) -> str:
    root = typer.Typer()
    root.add_typer(config.app, name="config")

    @root.callback()
    def with_file(config: str | None = None) -> None: ...

    result = CliRunner().invoke(root, arguments, env=environment, catch_exceptions=False)
    return result.stdout


def test_config_show_tells_value_and_origin_of_every_setting() -> None:
    shown = json.loads(chatguard("config", "show", "--json", **SECURED))
    assert {leaf.key for leaf in leaves()} == shown.keys()
    assert shown["kafka.security.username"] == {
        "variable": "CHATGUARD_KAFKA__SECURITY__USERNAME",
        "value": "im",
        "from": "CHATGUARD_KAFKA__SECURITY__USERNAME",
    }
    assert shown["redis.url"]["value"] == "redis://cache.example"


def test_config_show_hides_secrets() -> None:
    assert SECRET not in chatguard("config", "show", **SECURED) + chatguard("config", "show", "--json", **SECURED)


def test_config_schema_describes_every_group() -> None:
    assert Settings.model_fields.keys() == json.loads(chatguard("config", "schema"))["properties"].keys()
