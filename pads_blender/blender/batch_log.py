"""What a batch says: lines on the standard error, JSON lines in a log file, a table at the end. Knows no bpy."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..errors import PadsError

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one file: a state, and its report (see file_jobs.clean_file), or a report with an `error`."""

    state: str
    report: dict

    @property
    def parts(self) -> list[dict]:
        """The report on each armature."""
        return self.report.get("armatures", [self.report])

    @property
    def warnings(self) -> list[str]:
        """What is to be said about armatures: why one of several failed, what is odd about a take."""
        if self.state != DONE:
            return []
        return [text for part in self.parts for text in _said_of(part, len(self.parts) > 1)]


def _said_of(part: dict, is_named: bool) -> list[str]:
    texts = [part["error"]] if "error" in part else [warning["text"] for warning in part["warnings"]]
    return [f"{part['armature']}: {text}" if is_named else text for text in texts]


class Log:
    """A file of JSON lines, one an event, each written at once; several processes may add to one file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def note(self, event: str, fields: dict) -> None:
        """Add a line; PadsError where the file cannot be written."""
        if self._path is None:
            return
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **fields})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise PadsError(f"{self._path}: cannot be written: {error.strerror or error}.") from error

    def note_outcome(self, outcome: Outcome) -> None:
        """Add a line on one file."""
        report = outcome.report
        told = ("file", "output", "error", *(("frames", "seconds", "device") if outcome.state == DONE else ()))
        fields = {name: report[name] for name in told if name in report}
        self.note(outcome.state, fields | ({"warnings": outcome.warnings} if outcome.warnings else {}))


def say(text: str) -> None:
    """One line on the standard error."""
    print(text, file=sys.stderr, flush=True)


def say_failed(path: Path, error: PadsError) -> str:
    """Say what is wrong in one line; the message without the file's name."""
    message = one_line(path, error)
    say(f"pads: {path}: {message}")
    return message


def one_line(path: Path, error: PadsError) -> str:
    """What an error says, without the file's name."""
    return " ".join(str(error).removeprefix(f"{path}: ").split())


def say_outcome(outcome: Outcome, number: int, count: int) -> None:
    """Say what became of one file, the number-th to be finished."""
    report = outcome.report
    place = f" ({number} of {count})" if count > 1 else ""
    for text in outcome.warnings:
        say(f"pads: {report['file']}: {text}")
    if outcome.state == FAILED:
        say(report.get("traceback", "") + f"pads: {report['file']}: {report['error']}")
    elif outcome.state == SKIPPED:
        say(f"pads: {report['file']}: done before{place}: {report['output']}")
    else:
        seconds = f"{report['frames']} frames in {report['seconds']:.1f} s"
        say(f"pads: {report['file']}: done, {seconds}{place}: {report['output']}")


def table(outcomes: Sequence[Outcome], seconds: float) -> str:
    """All files with what became of each, and the sums."""
    rows = [("Result", "Frames", "Seconds", "File"), *map(_row, outcomes)]
    lines = [f"{state:8}{frames:>8}{time:>10}  {file}" for state, frames, time, file in rows]
    return "\n".join([*lines, summary(outcomes, seconds)])


def _row(outcome: Outcome) -> tuple[str, str, str, str]:
    report = outcome.report
    if outcome.state == FAILED:
        return FAILED, "", "", f"{report['file']}: {report['error']}"
    seconds = f"{report['seconds']:.1f}" if outcome.state == DONE else ""
    marks = f" ({len(outcome.warnings)} warning{'s' if len(outcome.warnings) > 1 else ''})" if outcome.warnings else ""
    return outcome.state, str(report["frames"]), seconds, f"{report['file']}{marks}"


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The sums in one line."""
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in (DONE, SKIPPED, FAILED)}
    frames = sum(outcome.report["frames"] for outcome in outcomes if outcome.state == DONE)
    before = f", {counts[SKIPPED]} done before" if counts[SKIPPED] else ""
    return f"{counts[DONE]} done{before}, {counts[FAILED]} failed; {frames} frames in {seconds:.0f} s"
