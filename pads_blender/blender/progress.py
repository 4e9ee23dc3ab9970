"""Progress of one file on the standard error. Knows no bpy."""

import sys


class Progress:
    """Percentage of one file on the standard error: one line that counts up, or a line every tenth in a log."""

    def __init__(self, title: str) -> None:
        self._title, self._shown, self._is_terminal = title, -1, sys.stderr.isatty()

    def show(self, step: int, count: int) -> None:
        """Say how far it is, if that is due."""
        percent = min(100, 100 * step // max(count, 1))
        is_due = percent >= self._shown + (1 if self._is_terminal else 10) or percent == 100
        if not is_due or percent == self._shown:
            return
        self._shown = percent
        end = "" if self._is_terminal else "\n"
        print(f"{self._start()}pads: {self._title}: {percent} %", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line that counts up."""
        if self._is_terminal and self._shown >= 0:
            print(file=sys.stderr, flush=True)

    def _start(self) -> str:
        return "\r" if self._is_terminal else ""
