"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Tenant = Annotated[str | None, typer.Option(help="The tenant whose overlay is meant; without it, the base ruleset.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings; the environment wins.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead.")]
Source = Annotated[
    str, typer.Argument(help="A directory, a .txt or .yaml lexicon, a .json document, builtin, redis or redis:N.")
]
