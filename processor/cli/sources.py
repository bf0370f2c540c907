"""Rulesets by name: a directory, a `.txt` lexicon, a `.json` document, `builtin`, `redis` (in force) or `redis:N`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from processor.errors import Invalid, Misconfigured
from processor.ops.settings import load as load_settings
from processor.policy import merge
from processor.policy import parse as parse_policy
from processor.ruleset import Rules
from processor.rulesets import store
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.directory import builtin, parse_entries, parse_terms, read
from processor.rulesets.document import (
    BASE,
    BaseDocument,
    Document,
    Entry,
    OverlayDocument,
    Scope,
    canonical,
    digest,
    parse,
    scope_of,
    tenant_of,
    tenant_scope,
)
from processor.rulesets.limits import TenantLimits
from processor.rulesets.store import Client, Pointer


@asynccontextmanager
async def connected(config: Path | None) -> AsyncIterator[Client]:
    """The Redis that the settings name. Raises: Misconfigured."""
    settings = load_settings(config).redis
    async with store.connect(settings.url.get_secret_value(), timeout_s=settings.timeout_seconds) as redis:
        yield redis


def scope_named(tenant: str | None) -> Scope:
    """The scope that `--tenant` means. Raises: Misconfigured."""
    if tenant == "":
        raise Misconfigured(["--tenant is empty: name a tenant, or leave it out for the base ruleset."])
    return BASE if tenant is None else tenant_scope(tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A ruleset and what points at it; None for the built-in one, or for an overlay that is not there yet."""

    pointer: Pointer | None
    document: Document
    damaged: bool = False  # there is something in the store, but it cannot be read

    @property
    def version(self) -> int | None:
        """The version in force, 0 for none, None if nobody can tell."""
        return None if self.damaged else self.pointer.version if self.pointer else 0


async def in_force(redis: Client, scope: Scope) -> Found:
    """What is in force in `scope`. Raises: Invalid, if it is damaged; Unavailable."""
    pointer = await store.current(redis, scope)
    if pointer is None:
        return Found(pointer=None, document=nothing_published(scope))
    snapshot = await store.snapshot(redis, scope, pointer)
    return Found(pointer=pointer, document=parse(snapshot.content))


async def numbered(redis: Client, scope: Scope, version: int) -> Found:
    """A version that is still kept; 0 is the built-in one. Raises: Invalid, Unavailable."""
    if version == 0:
        return Found(pointer=None, document=nothing_published(scope))
    snapshot = await store.retained(redis, scope, version)
    pointer = Pointer(version=version, digest=snapshot.digest)
    return Found(pointer=pointer, document=parse(snapshot.content))


def nothing_published(scope: Scope) -> Document:
    """What holds in `scope` while nothing is published there."""
    tenant = tenant_of(scope)
    return builtin() if tenant is None else OverlayDocument(tenant=tenant)


async def wanted(redis: Client, source: str, scope: Scope, now: Document) -> Document:
    """What `source` asks to be in force: a lexicon goes over what is there, everything else replaces it."""
    if is_lexicon(source):
        return with_lexicon(now, source)
    new = await _read(redis, source, tenant_of(scope))
    if scope_of(new) != scope:
        raise Invalid([f"{source} is a ruleset for {scope_of(new)}, not for {scope}: use --tenant accordingly"])
    return new


async def read_alone(source: str, tenant: str | None, config: Path | None) -> Document:
    """The ruleset that `source` names; connects only if it is in Redis."""
    if source.partition(":")[0] != "redis":
        return _read_local(source, tenant)
    async with connected(config) as redis:
        return await _read(redis, source, tenant)


async def _read(redis: Client, source: str, tenant: str | None) -> Document:
    kind, _, version = source.partition(":")
    if kind != "redis":
        return _read_local(source, tenant)
    scope = tenant_scope(tenant) if tenant else BASE
    if not version:
        return (await in_force(redis, scope)).document
    if not version.isdecimal():
        raise Misconfigured([f"{source} names no version: write redis:42, or redis for what is in force."])
    return (await numbered(redis, scope, int(version))).document


def _read_local(source: str, tenant: str | None) -> Document:
    path = Path(source)
    if source == "builtin":
        return builtin()
    if path.is_dir():
        return read(path, tenant=tenant)
    if is_lexicon(source):
        lexicons = {path.stem: _lexicon(source)}
        return OverlayDocument(tenant=tenant, lexicons=lexicons) if tenant else BaseDocument(lexicons=lexicons)
    return parse(text_of(path).encode())


def with_lexicon(document: Document, source: str) -> Document:
    """The document with the lexicon that `source` names, over one of the same name. Raises: Invalid, Misconfigured."""
    return replace(document, lexicons={**document.lexicons, Path(source).stem: _lexicon(source)})


def is_lexicon(source: str) -> bool:
    """Whether `source` names a single lexicon's file."""
    return source.endswith((".txt", ".yaml"))


def _lexicon(source: str) -> list[Entry]:
    parse_lexicon = parse_terms if source.endswith(".txt") else parse_entries
    return parse_lexicon(text_of(Path(source)), source=source)


def text_of(path: Path) -> str:
    """A file's text. Raises: Misconfigured."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Misconfigured([f"{path} cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError:
        raise Misconfigured([f"{path} is not UTF-8: save it as UTF-8 text."]) from None


def rules_of(document: Document, base: BaseDocument) -> Rules:
    """What judges by a document; an overlay stands over `base`. Raises: Invalid."""
    if isinstance(document, BaseDocument):
        return Rules(base=compile_base(document, version=0, digest=digest(canonical(document))))
    overlay = compile_overlay(document, version=0, digest=digest(canonical(document)))
    return Rules(base=rules_of(base, base).base, overlays={document.tenant: overlay})


async def check(redis: Client, new: Document, config: Path | None) -> None:
    """Whether workers would take the document, alone and with what is in force beside it.

    Raises: Invalid, with all the reasons why not; Misconfigured; Unavailable.
    """
    settings = load_settings(config).rulesets
    limits = TenantLimits(terms=settings.tenant_terms, bytes=settings.tenant_bytes)
    problems = limits.problems(new, len(canonical(new))) or compiles(new) or await _misfits(redis, new)
    if problems:
        raise Invalid(problems)


def compiles(document: Document) -> list[str]:
    """Why workers could not compile the document; empty if they can."""
    try:
        if isinstance(document, BaseDocument):
            compile_base(document, version=0, digest="")
        else:
            compile_overlay(document, version=0, digest="")
    except Invalid as error:
        return list(error.problems)
    return []


async def _misfits(redis: Client, new: Document) -> list[str]:
    """Why the base in force and the overlays in force would not go together with `new`: workers would refuse it."""
    base = new if isinstance(new, BaseDocument) else (await in_force(redis, BASE)).document
    overlays = [new] if isinstance(new, OverlayDocument) else [each async for each in _overlays(redis)]
    problems: list[str] = []
    for overlay in overlays:
        try:
            parse_policy(merge(base.policy, overlay.policy))
        except Invalid as error:
            problems += [f"with the overlay of {overlay.tenant}: {problem}" for problem in error.problems]
    return problems


async def _overlays(redis: Client) -> AsyncIterator[OverlayDocument]:
    for scope, pointer in (await store.pointers(redis, sorted(await store.scopes(redis)))).items():
        if isinstance(pointer, Pointer):
            try:
                document = parse((await store.snapshot(redis, scope, pointer)).content)
            except Invalid:
                continue  # no worker has it in force
            if isinstance(document, OverlayDocument):
                yield document
