"""What the pages say to type is what the command line takes, and so is what the Flamenco job type writes."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pads_blender.blender import batch
from pads_blender.blender.batch_options import build_parser

ROOT = Path(__file__).resolve().parents[2]
JOB_TYPE = ROOT / "docs" / "flamenco" / "pads_clean_takes.js"
PAGES = ("README.md", "docs/pipeline.md", "docs/manual.md", "docs/guide.md")
# What schedulers put in.
EXAMPLES = {
    "{}/8": "1/8",
    "<STARTFRAME>/20": "1/20",
    '"$SLURM_ARRAY_TASK_ID/20"': "1/20",
    '"$SLURM_CPUS_PER_TASK"': "2",
}
# What stands in Flamenco's place: it keeps the tasks and prints them.
FLAMENCO = """
const author = {
    Task: (name, type) => ({ name, type, commands: [], addCommand(command) { this.commands.push(command); } }),
    Command: (name, parameters) => ({ name, parameters }),
};
const tasks = [];
const job = { settings: SETTINGS, addTask: (task) => tasks.push(task) };
compileJob(job);
console.log(JSON.stringify({ type: JOB_TYPE, tasks }));
"""


def parse(words: list[str]):
    return build_parser(batch._COMMANDS).parse_args(words)


def commands(page: str) -> list[list[str]]:
    """The words after `pads` of each command in the code of a page, with what a shell, cron or make add taken off."""
    text = (ROOT / page).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)).replace("\\\n", " ")
    found = [re.split(r"--command pads |-m pads_blender ", line, maxsplit=1)[1:] for line in code.splitlines()]
    # Two blanks begin a remark, an ellipsis stands for more words; `2>>` and `:::` are for the shell and parallel.
    kept = [re.split(r"\s{2,}\S|\s2>>|\s:::", rest[0])[0] for rest in found if rest and "..." not in rest[0]]
    for word, example in EXAMPLES.items():
        kept = [line.replace(word, example) for line in kept]
    return [shlex.split(line.rstrip('"') if line.count('"') % 2 else line) for line in kept]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_is_one(page):
    found = [words for words in commands(page) if words]
    assert found or page == "docs/guide.md"
    for words in found:
        if "-o" not in words and words[0] == "clean":
            continue  # the beginning of one, in a table
        try:
            parse(words)
        except SystemExit:
            pytest.fail(f"{page}: pads {shlex.join(words)}", pytrace=False)


def test_the_manual_has_every_option_of_clean(capsys):
    with pytest.raises(SystemExit):
        parse(["clean", "-h"])
    known = set(re.findall(r"^  (--?[a-z-]+)", capsys.readouterr().out, re.MULTILINE)) - {"-h"}
    _, _, options = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8").partition("## Options\n")
    assert set(re.findall(r"`(--?[a-z-]+)", options.partition("\n## ")[0])) - {"-h"} == known


def test_the_pipeline_page_has_the_commands_that_it_is_about():
    found = [" ".join(words) for words in commands("docs/pipeline.md")]
    for option in ("--resume", "--jobs 4", "--shard 1/8", "--shard 1/20", "--log", "--threads"):
        assert any(option in line for line in found), option


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node to run JavaScript with")
def test_the_flamenco_job_type_makes_a_task_of_each_share(tmp_path):
    settings = {"takes": "/srv/capture", "results": "/srv/clean", "shares": 3, "strength": 0.8}
    script = tmp_path / "job.js"
    script.write_text(JOB_TYPE.read_text() + FLAMENCO.replace("SETTINGS", json.dumps(settings)))
    said = subprocess.run(["node", str(script)], capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    assert [setting["key"] for setting in found["type"]["settings"]] == list(settings)
    assert len(found["tasks"]) == 3 and {task["type"] for task in found["tasks"]} == {"blender"}
    for number, task in enumerate(found["tasks"], start=1):
        (command,) = task["commands"]
        assert command["name"] == "exec" and command["parameters"]["exe"] == "{blender}"
        options = parse(command["parameters"]["args"][3:])
        assert command["parameters"]["args"][:3] == ["--background", "--command", "pads"]
        assert options.shard == (number, 3) and options.resume and options.strength == 0.8
        assert [str(source) for source in options.sources] == ["/srv/capture"] and options.output == "/srv/clean"
