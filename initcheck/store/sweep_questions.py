"""What decides the bits of a sweep's runs, and the name of its folder in a store."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.own_problems import OWN
from initcheck.installed import version_of
from initcheck.records import Environment, Score
from initcheck.store.code_digests import code_digest

FORM = "initcheck store question"
SCHEMA = 1


@dataclass(frozen=True)
class SweepQuestion:
    """Everything that decides the bits of a run, but for its initializer, its order and its reseed.

    Attributes:
        body: It, as JSON: problem, engine, seed, environment, initcheck.
    """

    body: Mapping[str, Any]

    @classmethod
    def of(
        cls, trained: Mapping[str, Any], *, seed: int, score: Score | None, environment: Environment
    ) -> SweepQuestion:
        """The question of a sweep.

        Args:
            trained: What an engine says of problem, data, model and itself.
            seed: The root seed.
            score: What a run is judged by; None where texts, and not runs, answer it.
            environment: The software and hardware that decide bits.
        """
        where = asdict(environment)
        own = where["versions"].pop("initcheck", None) or version_of("initcheck")
        body = {
            "format": FORM,
            "schema": SCHEMA,
            "initcheck": own,
            "seed": seed,
            "score": None if score is None else asdict(score),
            "trained": trained,
            "environment": where,
        }
        return cls(json.loads(json.dumps(body, sort_keys=True, default=str)))

    @property
    def text(self) -> str:
        """The question as a file."""
        return json.dumps(self.body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def name(self) -> str:
        """The name of its folder: the problem's, and a digest of all."""
        problem = str(self.body.get("trained", {}).get("problem", ""))
        return f"{slug(problem)}-{hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()}"

    @property
    def score(self) -> Score:
        """What its runs are judged by."""
        return Score(**self.body["score"])


def initializer_key(row: Initializer) -> str:
    """The name under which the runs of an initializer lie: its own, and a digest of what it is."""
    known = row is OWN or INITIALIZERS.get(row.name) is row or INITIALIZERS.get(row.name) == row
    body = [row.name, str(row.law), repr(sorted(map(str, row.config.items())))]
    body.append(str(row.made_by) if known or isinstance(row.made_by, str) else code_digest(row.made_by))
    if not known:
        body.append(code_digest(dict(row.config)))
    digest = hashlib.blake2b(json.dumps(body).encode(), digest_size=4).hexdigest()
    return f"{slug(row.name)}-{digest}"


def slug(text: str) -> str:
    """A text as a part of a file's name on any system."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", text)[:60].strip("_") or "unnamed"
