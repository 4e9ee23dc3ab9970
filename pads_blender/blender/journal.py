"""The last lines that PADS logged in this session, for a bug report. Knows no bpy and writes no file."""

import logging
from collections import deque

_PACKAGE = __package__.rpartition(".")[0]
_LINES = 40


class _Tail(logging.Handler):
    """The newest records as text; a warning goes to the console, too, where it would go without this handler."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        self.lines: deque[str] = deque(maxlen=_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's lines, of a traceback each one."""
        self.lines.extend(self.format(record).splitlines())
        if record.levelno == logging.WARNING and logging.lastResort:
            logging.lastResort.handle(record)


def open_log() -> logging.Logger:
    """The package's logger; from the first time on, what it is told is kept."""
    logger = logging.getLogger(_PACKAGE)
    if not _tails():
        logger.addHandler(_Tail())
        logger.setLevel(logging.INFO)
    return logger


def close() -> None:
    """Keep nothing any more."""
    logger = logging.getLogger(_PACKAGE)
    for tail in _tails():
        logger.removeHandler(tail)
    logger.setLevel(logging.NOTSET)


def lines() -> list[str]:
    """What was logged last, oldest first; nothing before open_log()."""
    return [line for tail in _tails() for line in list(tail.lines)]  # a worker may add one meanwhile


def _tails() -> list[_Tail]:
    return [handler for handler in logging.getLogger(_PACKAGE).handlers if isinstance(handler, _Tail)]
