"""python -m pads_blender.training.model_card: the model card from the contracts beside the weights, nothing by hand."""

import sys
from pathlib import Path

from ..diffusion.contract import Contract, read_contract

_TITLES = {"pose": "Pose prior (the paper's)", "motion": "Motion prior"}
_WHAT = {
    "pose": (
        "Transformer encoder over the joints of one pose, DDPM noise prediction, T = 1000, as in section 3.4 of the "
        "paper. Layers, width, heads, schedule, batch and learning rates are not given there: they are our choice."
    ),
    "motion": (
        "Transformer encoder over the 64 frames of a window at 30 frames a second, in the world, with a noise level of "
        "its own for every joint and frame; not in the paper. Trained on independent position noise, on rotation "
        "jitter that moves whole limbs, on hidden limbs, joints and frames, and on key poses alone."
    ),
}
_LIMITS = (
    "A small training set: about 1.4 hours of CMU, 1 hour of repetitive exercises (UI-PRMD, drawn seldom and only by "
    "the motion prior), minutes of ACCAD and of keyframed motion. Thin on floor work, acrobatics and sports. "
    "No hands, fingers or faces. Adults only, proportions taken out. Not a judge of what a performer did: what it "
    "fills in is plausible, not true."
)


_SPLIT = "Clips were split by subject: `dev` subjects and four validation subjects were never trained on."
_DEVICE = "one or two CPU cores"
_SPLITS = ("validation", "dev", "held_out")


def card(folder: Path) -> str:
    """Markdown for all priors in a folder of models."""
    kinds = [kind for kind in ("pose", "motion") if (folder / f"pads_{kind}.json").is_file()]
    contracts = [read_contract(folder / f"pads_{kind}.json", kind) for kind in kinds]
    about = contracts[0].fields
    parts = ["# Model card", *(_section(contract) for contract in contracts)]
    parts += ["## Data and licence", contracts[0]["training_data"], f"The weights: {contracts[0]['license']}."]
    parts += [about.get("split", _SPLIT)]
    return "\n\n".join([*parts, "## Limits", about.get("limits", _LIMITS)]) + "\n"


def _section(contract: Contract) -> str:
    network, training, metrics = contract["network"], contract["training"], contract["metrics_mm"]
    facts = [
        f"{network['layers']} layers, width {network['width']}, {network['heads']} heads; 16-bit weights",
        f"{training['steps_done']} steps in {training['hours']:.2g} hours on {contract.fields.get('device', _DEVICE)}, "
        f"seed {training['seed']}, moving average {training['ema']}",
        contract["representation"],
        f"noise levels {contract['sigma_range_metres'][0]:.4g} to {contract['sigma_range_metres'][1]:.4g} m",
    ]
    splits = {split.replace("_", " "): errors for split in _SPLITS if (errors := _errors(metrics, split))}
    head = ["mean joint error, mm", *splits]
    rows = [[name, *(f"{errors[name]:.1f}" for errors in splits.values())] for name in next(iter(splits.values()))]
    table = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    table.insert(1, "|---" * len(head) + "|")
    title, text = _TITLES[contract["kind"]], _WHAT[contract["kind"]]
    return "\n".join([f"## {title}", "", text, "", *(f"- {fact}" for fact in facts), "", *table])


def _errors(metrics: dict, split: str) -> dict[str, float]:
    return {name.removeprefix(split + "_"): v for name, v in metrics.items() if name.startswith(split + "_")}


if __name__ == "__main__":
    models = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("bundled_models")
    (models / "MODEL_CARD.md").write_text(card(models), encoding="utf-8")
