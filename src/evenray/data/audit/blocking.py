"""Which findings make every result void, so that nothing is trained before somebody has decided (docs/decisions/0006)."""

from __future__ import annotations

from collections.abc import Sequence

from evenray.core.findings import Finding

__all__ = ["BLOCKING", "blocking"]

BLOCKING = ("leakage_patients", "leakage_duplicates")
STRAY = 0.01  # share of the test images; the split leaves a few copies out of training


def blocking(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that the split cannot mend.

    Patients on both sides of a given split; and more than 1 % of the test images in another part too. Where there are
    fewer, the split leaves the training copies out; so many mean that the set was copied or augmented before it was
    divided, and then changed copies, which no hash finds, are in training as well.

    >>> copies = Finding("leakage_duplicates", "error", evidence={"share_of_test": 0.2})
    >>> [finding.check for finding in blocking([copies])]
    ['leakage_duplicates']
    """
    return [
        finding
        for finding in findings
        if finding.severity == "error"
        and finding.check in BLOCKING
        and (finding.check != "leakage_duplicates" or finding.evidence.get("share_of_test", 0) > STRAY)
    ]
