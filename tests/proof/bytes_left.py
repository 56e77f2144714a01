"""Everything that a run leaves behind, as bytes and as one digest per pair, also for another process.

``python -m tests.proof.bytes_left`` prints the digests of all built-in pairs on the sample as JSON.
"""

import hashlib
import json
import sys

from engine.preparing import prepare
from engine.run import Run
from tests.proof.works import PAIRS, Work, completed, made, sample_config, scripted
from tests.properties.drives import left_by


def digest(run: Run) -> str:
    """SHA-256 of fills, trades, orders, events, margin calls and equity."""
    return hashlib.sha256(left_by(run)).hexdigest()


def digests(work: Work) -> dict[str, str]:
    """One digest per built-in pair, and one of the scripted bot."""
    runs = {str(pair): completed(made(work, pair.make(), "auto")) for pair in PAIRS}
    runs["Scripted"] = completed(made(work, scripted(work), "step"))
    return {name: digest(run) for name, run in runs.items()}


if __name__ == "__main__":
    config = sample_config()
    json.dump(digests(Work("sample", config, prepare(config))), sys.stdout)
