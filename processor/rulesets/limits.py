"""How large one tenant's overlay may be, so that none takes the memory and the time of all the others."""

from dataclasses import dataclass

from processor.rulesets.document import Document, OverlayDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLimits:
    """The most that one overlay may hold."""

    terms: int = 10_000  # of its lexicons, and phrases that it allows, re-grades or switches off
    bytes: int = 4 * 1024 * 1024  # of its document

    def problems(self, document: Document, size: int) -> list[str]:
        """Why an overlay of `size` bytes is too large, one sentence each; a base ruleset may be of any size."""
        if not isinstance(document, OverlayDocument):
            return []
        held = {"terms": terms_of(document), "bytes": size}
        most = {"terms": self.terms, "bytes": self.bytes}
        return [
            f"the overlay of {document.tenant} has {held[what]:,} {what}, more than the {most[what]:,} that one tenant "
            f"may have (CHATGUARD_RULESETS__TENANT_{what.upper()})"
            for what in held
            if held[what] > most[what]
        ]


def terms_of(document: OverlayDocument) -> int:
    """How many terms and phrases an overlay names."""
    off = document.off
    named = len(document.allow) + len(document.regrade) + len(off.terms) + len(off.categories) + len(off.rules)
    return named + sum(map(len, document.lexicons.values()))
