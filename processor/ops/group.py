"""What a group of settings is made of."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

PREFIX = "CHATGUARD_"
MIB = 1024 * 1024


class Group(BaseModel):
    """Settings that belong together; in the environment `CHATGUARD_<GROUP>__<NAME>`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def allowed(words: str) -> dict[str, Any]:
    """The values that a setting takes, in words, where its type and its limits do not say it."""
    return {"allowed": words}


def _file(value: Path) -> Path:
    if not os.path.isfile(value):  # noqa: PTH113  the method of Path raises for a name that is too long
        raise ValueError("no file")
    return value


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("relative path")
    return value


Name = Annotated[str, Field(min_length=1, pattern=r"^\S+$", json_schema_extra=allowed("text without spaces"))]
File = Annotated[Path, AfterValidator(_file), Field(json_schema_extra=allowed("a file that exists"))]
Directory = Annotated[Path, AfterValidator(_absolute), Field(json_schema_extra=allowed("an absolute path"))]


def require(*checks: tuple[bool, str]) -> None:
    """Hold settings against each other: raise `ValueError` with the sentence of every check that fails, one a line."""
    if problems := [sentence for holds, sentence in checks if not holds]:
        raise ValueError("\n".join(problems))
