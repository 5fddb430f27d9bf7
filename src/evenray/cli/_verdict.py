"""What only the verb `audit` does: propose a plan of exclusions, and end in failure where it was asked to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evenray.core.errors import DataError, UsageError
from evenray.core.progress import plain

from ._progress import Bars

if TYPE_CHECKING:
    from evenray.stages import Context

__all__ = ["check_verdict", "verdict"]

LEVELS = ("error", "warning")


def check_verdict(given: dict[str, Any]) -> None:
    """Whether --fix and --fail-on can be done, before anything is."""
    level, plan = given.get("fail_on", "error"), Path(given.get("fix", "plan.csv"))
    if level not in LEVELS:
        raise UsageError(f"--fail-on is '{level}'; give {' or '.join(LEVELS)}.")
    if "fix" in given and plan.exists():
        raise UsageError(f"'{plan}' exists and may hold what you edited; remove it, or give --fix another name.")


def verdict(context: Context, given: dict[str, Any]) -> None:
    """Write the plan, then DataError (exit code 1) where a finding is as grave as --fail-on says."""
    from evenray.stages.audit import findings_of

    found = findings_of(context.folder)
    if "fix" in given:
        from evenray.core.artefacts import atomic
        from evenray.data.audit import plan

        proposed = plan(found, context.whole())
        with atomic(Path(given["fix"])) as path:
            proposed.write_csv(path)
        excluded = int((proposed["action"] == "exclude").sum())
        Bars().say(
            plain(
                f"{given['fix']}: {excluded} to exclude, {proposed.height - excluded} to review; edit it, then"
                f" 'evenray run {context.folder.path} --exclude {given['fix']}'"
            )
        )
    if "fail_on" in given:
        worst = LEVELS[: LEVELS.index(given["fail_on"]) + 1]
        grave = [finding.title for finding in found if finding.severity in worst]
        if grave:
            raise DataError(
                f"The audit found, as --fail-on {given['fail_on']} minds: {'; '.join(dict.fromkeys(grave))}."
            )
