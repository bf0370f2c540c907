"""Read the settings from the environment and a TOML file.

A setting is a variable (`CHATGUARD_KAFKA__GROUP_ID`) or a key of the file (`group_id` under `[kafka]`); the environment
wins. Whatever is wrong is reported together, one sentence per problem, and a name nobody knows is a problem too: a
typing error must not silently leave a default in force. An empty variable counts as unset.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from processor.errors import Misconfigured
from processor.ops.group import PREFIX
from processor.ops.sheet import Settings

__all__ = ["FILE_VARIABLE", "Leaf", "Loaded", "Settings", "leaves", "load", "read"]

FILE_VARIABLE = "CHATGUARD_CONFIG"

Place = tuple[str, ...]  # where a setting stands: ("kafka", "security", "cafile")

# Kubernetes puts such variables into every pod, for each Service of the namespace; one may be called chatguard.
_SERVICE_LINK = re.compile(
    r"CHATGUARD_(\w+_)?"
    r"(SERVICE_HOST=\S+|SERVICE_PORT(_\w+)?=\d+|PORT(_\d+_[A-Z]+)?=[a-z]+://\S+|PORT_\d+_[A-Z]+_(PROTO|PORT|ADDR)=\S+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One setting: where it stands and what it is."""

    path: Place
    field: FieldInfo
    schema: Mapping[str, Any]  # its JSON Schema

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + "__".join(self.path).upper()

    @property
    def key(self) -> str:
        """Its name in a TOML file."""
        return ".".join(self.path)

    @property
    def secret(self) -> bool:
        """Whether its value must not be shown."""
        return "password" in (self.schema.get("format"), *(s.get("format") for s in self.schema.get("anyOf", ())))

    @property
    def allowed(self) -> str:
        """The values it takes, in words."""
        kinds = [kind for kind in self.schema.get("anyOf", [self.schema]) if kind.get("type") != "null"]
        match {**kinds[0], **self.schema}:
            case {"allowed": str(words)}:
                return words
            case {"enum": [*choices]}:
                return "one of " + ", ".join(map(str, choices))
            case {"type": "boolean"}:
                return "true or false"
            case {"type": "integer" | "number" as kind, "minimum": low, "maximum": high}:
                return f"{'a whole' if kind == 'integer' else 'a'} number from {low} to {high}"
            case _:
                return "text"


def leaves(model: type[BaseModel] = Settings, path: Place = ()) -> Iterator[Leaf]:
    """Every setting, in the order of this file."""
    schemas = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, (*path, name))
        else:
            yield Leaf(path=(*path, name), field=field, schema=schemas[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings and where each came from."""

    settings: Settings
    origins: Mapping[Place, str]  # the variable's name, the file's, or "default"

    def shown(self, leaf: Leaf) -> str | float | bool | None:
        """A setting's value as a person may see it: secrets are hidden."""
        if leaf.path == ("redis", "url"):
            return self.settings.redis.location
        value: Any = self.settings
        for name in leaf.path:
            value = getattr(value, name)
        return value if isinstance(value, int | float | None) else str(value)


def load(path: Path | None = None) -> Settings:
    """The settings of this process, from its environment and the TOML file at `path` or at `CHATGUARD_CONFIG`.

    Raises `Misconfigured` with a sentence for everything that is wrong.
    """
    return read(os.environ, path).settings


def read(environ: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Like `load`, from a given environment, with the origin of each setting."""
    known = {leaf.path: leaf for leaf in leaves()}
    named = environ.get(FILE_VARIABLE)
    path = path or (Path(named) if named else None)
    file = dict(_flat(_parse(path))) if path else {}
    variables = {place: environ[leaf.variable] for place, leaf in known.items() if environ.get(leaf.variable)}
    origins = {
        **dict.fromkeys(known, "default"),
        **dict.fromkeys(file, str(path)),
        **{place: known[place].variable for place in variables},
    }
    problems = [*_unknown_variables(environ, known.values()), *_unknown_keys(file, path, known)]
    try:
        settings = Settings.model_validate(_nested({p: v for p, v in (file | variables).items() if p in known}))
    except ValidationError as error:
        problems += [s for detail in error.errors(include_url=False) for s in _sentences(detail, known, origins)]
        raise Misconfigured(problems) from None  # the cause holds the values, secrets among them
    if problems:
        raise Misconfigured(problems)
    return Loaded(settings=settings, origins=origins)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured([f"The settings file {path} cannot be read: {error.strerror}."]) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise Misconfigured([f"The settings file {path} is not TOML: {error}."]) from None


def _flat(tree: Mapping[str, Any], above: Place = ()) -> Iterator[tuple[Place, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value


def _nested(flat: Mapping[Place, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for place, value in flat.items():
        group = tree
        for name in place[:-1]:
            group = group.setdefault(name, {})
        group[place[-1]] = value
    return tree


def _unknown_variables(environ: Mapping[str, str], known: Iterable[Leaf]) -> Iterator[str]:
    names = [FILE_VARIABLE, *(leaf.variable for leaf in known)]
    for name in sorted(environ):
        ours = name.upper().startswith(PREFIX) and not _SERVICE_LINK.fullmatch(f"{name}={environ[name]}")
        if ours and name not in names:
            yield f"{name} is no setting{_suggestion(name.upper(), names)}"


def _unknown_keys(file: Mapping[Place, Any], path: Path | None, known: Mapping[Place, Leaf]) -> Iterator[str]:
    names = [leaf.key for leaf in known.values()]
    for place in file:
        if place not in known:
            yield f"{'.'.join(place)} in {path} is no setting{_suggestion('.'.join(place), names)}"


def _suggestion(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "."


def _sentences(detail: ErrorDetails, known: Mapping[Place, Leaf], origins: Mapping[Place, str]) -> list[str]:
    place = tuple(str(part) for part in detail["loc"])
    if place not in known:  # a check that holds several settings against each other
        return str(detail["ctx"]["error"]).splitlines()
    leaf, origin = known[place], origins[place]
    name = leaf.variable if origin == leaf.variable else f"{leaf.key} in {origin}"
    value = "has a value that is not allowed" if leaf.secret else f"is {str(detail['input'])!r}"
    return [f"{name} {value}; allowed: {leaf.allowed}."]
