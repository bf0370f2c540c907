"""`chatguard config`: what the settings are and where they come from."""

import json
import os

import typer

from processor.cli.options import AsJson, Config
from processor.ops.settings import Settings, leaves, read

app = typer.Typer(no_args_is_help=True, help="Show and describe the settings.")


@app.command()
def show(
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print every setting, its value and where it came from; secrets stay hidden."""
    loaded = read(os.environ, config)
    shown = [(leaf, loaded.shown(leaf), loaded.origins[leaf.path]) for leaf in leaves()]
    if as_json:
        rows = {leaf.key: {"variable": leaf.variable, "value": value, "from": origin} for leaf, value, origin in shown}
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    width = max(len(leaf.variable) for leaf, _, _ in shown)
    for leaf, value, origin in shown:
        text = "unset" if value is None else value if isinstance(value, str) else json.dumps(value)
        typer.echo(f"{leaf.variable:<{width}}  {text}  ({origin})")


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings file."""
    typer.echo(json.dumps(Settings.model_json_schema(), ensure_ascii=False, indent=2))
