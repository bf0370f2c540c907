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

# What makes up the rules of `screen.rules_for`.
Ruleset = Annotated[Path | None, typer.Option(help="A ruleset's directory, instead of the built-in one.")]
Lexicons = Annotated[
    list[Path] | None, typer.Option(help="Terms to add, one per line: term[,category[,severity]]. May be repeated.")
]
Aliases = Annotated[Path | None, typer.Option(help="Spellings to add, one per line: spelling=term.")]
NoBuiltin = Annotated[bool, typer.Option("--no-builtin", help="Nothing of the built-in lexicons and rules.")]
