"""`chatguard config`: what it shows, and what it does not."""

import json

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
    return CliRunner().invoke(config.app, arguments, env=environment, catch_exceptions=False).stdout


def test_config_show_tells_value_and_origin_of_every_setting() -> None:
    shown = json.loads(chatguard("show", "--json", **SECURED))
    assert {leaf.key for leaf in leaves()} == shown.keys()
    assert shown["kafka.security.username"] == {
        "variable": "CHATGUARD_KAFKA__SECURITY__USERNAME",
        "value": "im",
        "from": "CHATGUARD_KAFKA__SECURITY__USERNAME",
    }
    assert shown["redis.url"]["value"] == "redis://cache.example"


def test_config_show_hides_secrets() -> None:
    assert SECRET not in chatguard("show", **SECURED) + chatguard("show", "--json", **SECURED)


def test_config_schema_describes_every_group() -> None:
    assert Settings.model_fields.keys() == json.loads(chatguard("schema"))["properties"].keys()
