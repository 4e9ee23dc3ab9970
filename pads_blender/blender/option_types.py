"""What the command line's options may be, for argparse: it names the option and says what is wrong with its word."""

import argparse
import contextlib
from collections.abc import Callable


def at_least(lowest: int) -> Callable[[str], int]:
    """Reads a whole number that is no smaller."""

    def read(text: str) -> int:
        with contextlib.suppress(ValueError):
            if (value := int(text)) >= lowest:
                return value
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of at least {lowest}")

    return read


def between(number: Callable[[str], float], lowest: float, highest: float) -> Callable[[str], float]:
    """Reads a number of that kind between two others."""

    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            if lowest <= (value := number(text)) <= highest:
                return value
        raise argparse.ArgumentTypeError(f"'{text}' is no number between {lowest:g} and {highest:g}")

    return read
