"""What runs in each process of batch_pool.py: files named on the standard input, one by one, under one command line."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .batch_clean import attempt, job_of, open_prior
from .batch_pool import MARK


def run(parse: Callable[[Sequence[str]], argparse.Namespace]) -> int:
    """Answer each line with a report until there are no more lines; the exit code."""
    hello = json.loads(sys.stdin.readline())
    options = parse(hello["words"])
    prior = open_prior(options, hello["threads"])
    _answer({})
    for line in sys.stdin:
        source, target = json.loads(line)
        _answer(attempt(job_of(options, Path(source), Path(target)), options, prior, lambda *_: None))
    return 0


def _answer(report: dict) -> None:
    print(f"{MARK}{json.dumps(report)}", flush=True)
