"""New names: keyed, so that the same secret gives the same names, and nobody without it finds the old ones."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from evenray.data.tables.pseudonym import pseudonym

__all__ = ["Names"]


@dataclass(frozen=True)
class Names:
    """The names of one file: its patient's, and what its own UIDs and its institution become."""

    secret: bytes
    patient: str

    def uid(self, old: str) -> str:
        """A UID in place of another, the same wherever that stands (PS3.5, B.2: a UUID as a number).

        >>> names = Names(bytes(32), "patient-1")
        >>> names.uid("1.2.3") == names.uid("1.2.3 "), names.uid("1.2.3") == names.uid("1.2.4"), len(names.uid("1.2.3")) <= 64
        (True, False, True)
        """
        text = old.strip(" \0").encode()
        digest = hashlib.blake2b(text, digest_size=16, key=self.secret, person=b"evenray-uid").digest()
        return f"2.25.{uuid.UUID(bytes=digest, version=5).int}"

    def site(self, institution: str) -> str:
        """An institution, so that images of one stay known as such."""
        return f"site-{pseudonym(self.secret, 'site', institution)[:8]}"
