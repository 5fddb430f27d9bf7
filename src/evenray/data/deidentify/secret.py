"""The secret of an export: the key that new names are made with, and the old ones that they stand for; for its owner alone."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from evenray.core.artefacts import atomic
from evenray.core.errors import UsageError

__all__ = ["Secret"]

FORMAT = "evenray names 1"


@dataclass
class Secret:
    """A key of 32 bytes and what was named with it: patients (pseudonym -> identifiers), images (pseudonym -> file), and files that
    were left out (file -> reason)."""

    key: bytes
    patients: dict[str, list[str]] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, path: Path) -> Secret:
        """What a file holds; a new key where there is none. UsageError for a file that is something else."""
        if not path.exists():
            return cls(secrets.token_bytes(32))
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("format") != FORMAT:
                raise ValueError
            made = cls(bytes.fromhex(found.pop("key")), **found)
            if len(made.key) != 32 or not all(
                isinstance(one, dict) for one in (made.patients, made.images, made.left_out)
            ):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UsageError(
                f"'{path}' is no key of an export; give one that 'evenray deidentify' made, or a new name."
            ) from None
        return made

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner alone from its first byte on."""
        told = {
            "format": FORMAT,
            "key": self.key.hex(),
            "patients": self.patients,
            "images": self.images,
            "left_out": self.left_out,
        }
        with atomic(path, durable=True) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(
                json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
            )

    @property
    def mark(self) -> str:
        """What tells this key from others and gives nothing of it away."""
        return blake2b(b"mark", digest_size=8, key=self.key, person=b"evenray-mark").hexdigest()
