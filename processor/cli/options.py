"""Arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Tenant = Annotated[str | None, typer.Option(help="The tenant whose overlay is meant; without it, the base ruleset.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings; the environment wins.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead.")]
Message = Annotated[str, typer.Option("--message", "-m", help="Why; kept in the history.")]
By = Annotated[
    str, typer.Option("--by", "--author", envvar="USER", help="Who; kept in the history.", show_default="you")
]
Source = Annotated[
    str, typer.Argument(help="A directory, a .txt or .yaml lexicon, a .json document, builtin, redis or redis:N.")
]
