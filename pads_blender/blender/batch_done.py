"""What is done already: a report beside each result says from what it was made and how. Bytes count, dates do not."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ..core.presets import preset_path
from ..errors import PadsError
from ..paths import read_version, write_json
from .file_jobs import Job, settings_data
from .rig_mapping import preset_folder

_SUFFIX = ".pads.json"


@dataclass(frozen=True)
class Origin:
    """What a result is made from, read before the work begins."""

    version: str
    source: dict[str, str]  # SHA-256 of the input's files by name
    asked: dict  # all that the command asked for, with the prior's own digest


def report_path(target: Path) -> Path:
    """Where the report on one result lies: beside it."""
    return target.with_name(target.name + _SUFFIX)


def read_origin(job: Job, contract: Path) -> Origin:
    """From what and how this job is about to make its result; PadsError where the input cannot be read."""
    asked = {
        "settings": settings_data(job.settings),
        "prior": {contract.stem.removeprefix("pads_"): _digest(contract)},  # it holds the digests of the weights
        "armature": job.source.armature,
        "preset": _digest(job.source.preset) if job.source.preset else None,
        "switch_to_fk": job.switch_to_fk,
    }
    return Origin(read_version(), _digests(job.source.path), json.loads(json.dumps(asked)))


def write_report(job: Job, report: dict, origin: Origin) -> None:
    """The report beside a result that was just made, with what find_reason must know."""
    made = {
        "version": origin.version,
        "input": origin.source,
        "asked": origin.asked,
        "output": _digests(job.target) | (_digests(job.blend) if job.blend else {}),
        "presets": _presets(report_rigs(report)),
    }
    write_json(report_path(job.target), report | {"made": made})


def report_rigs(report: dict) -> list[str]:
    """Fingerprints of the armatures that a report is about."""
    return [part["rig"] for part in report.get("armatures", [report]) if "rig" in part]


def find_reason(job: Job, origin: Origin) -> str | None:
    """Why the job has to be done (again): a clause, empty where there is no result yet; None where it is done."""
    report = read_report(job)
    if report is None or not job.target.is_file():
        return "" if not job.target.exists() else "its report is missing or damaged"
    made = report["made"]
    if made.get("input") != origin.source:
        return "the input has changed"
    if made.get("asked") != origin.asked:
        return "other settings are asked for"
    if made.get("version") != origin.version:
        return f"it was made with PADS {made.get('version')}"
    try:
        written = _digests(job.target) | (_digests(job.blend) if job.blend else {})
        presets = _presets(report_rigs(report))
    except PadsError:
        return "a file of the result is missing"
    if made.get("output") != written:
        return "the result is not what was written then"
    return None if made.get("presets") == presets else "the rig's preset has changed"


def read_report(job: Job) -> dict | None:
    """The report beside a job's result; None where there is no proper one."""
    try:
        report = json.loads(report_path(job.target).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_proper = isinstance(report, dict) and isinstance(report.get("made"), dict)
    return report if is_proper else None


def _presets(rigs: list[str]) -> Mapping[str, str]:
    """Digest of the preset that counts for each rig, by its fingerprint; without one, none."""
    found = {rig: preset_path(preset_folder(), rig) for rig in rigs}
    return {rig: _digest(path) for rig, path in found.items() if path}


def _digests(path: Path) -> dict[str, str]:
    """SHA-256 by name of a motion file and of the buffers that a .gltf keeps beside it."""
    names = [path.name]
    if path.suffix.lower() == ".gltf" and path.is_file():
        try:
            buffers = json.loads(path.read_text(encoding="utf-8")).get("buffers", [])
            names += [unquote(uri) for each in buffers if (uri := each.get("uri", "")) and not uri.startswith("data:")]
        except (OSError, ValueError, AttributeError):
            pass  # the reader of the file says what is wrong with it
    return {name: _digest(path.parent / name) for name in names}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PadsError(f"{path}: cannot be read: {error.strerror or error}.") from error
