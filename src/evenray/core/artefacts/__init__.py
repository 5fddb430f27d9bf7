"""The run folder and its typed artefacts."""

from .files import atomic, cache_folder, digest, file_digest, now, refusal, remedy, running, state_folder, sweep
from .folder import RunFolder
from .ledger import Done, Ledger, version
from .record import Record

__all__ = [
    "Done", "Ledger", "Record", "RunFolder", "atomic", "cache_folder", "digest", "file_digest", "now", "refusal", "remedy",
    "running", "state_folder", "sweep", "version",
]  # fmt: skip
