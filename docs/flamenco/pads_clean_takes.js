// SPDX-License-Identifier: GPL-3.0-or-later
// A Flamenco job type: clean a folder of takes with PADS, one share of the sorted list a task.
// Put it into the folder `scripts` beside flamenco-manager. Every worker needs a Blender with the extension enabled.

const JOB_TYPE = {
    label: "PADS: Clean Takes",
    settings: [
        { key: "takes", type: "string", subtype: "dir_path", required: true, visible: "submission",
          description: "Folder of the takes; those in folders below are cleaned, too" },
        { key: "results", type: "string", subtype: "dir_path", required: true, visible: "submission",
          description: "Folder for the cleaned takes, laid out as the other one. What is done there is left alone" },
        { key: "shares", type: "int32", default: 8, propargs: { min: 1, max: 1000 }, visible: "submission",
          description: "Number of tasks that the list of takes is split into" },
        { key: "strength", type: "float", default: 1.0, propargs: { min: 0.0, max: 1.0 }, visible: "submission",
          description: "How much of the correction is applied" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    for (let share = 1; share <= settings.shares; share++) {
        const task = author.Task(`clean-${share}-of-${settings.shares}`, "blender");
        task.addCommand(author.Command("exec", { exe: "{blender}", args: wordsOf(settings, share) }));
        job.addTask(task);
    }
}

// The command line of one task. Tasks share nothing: a task that is run again does what is left of its share.
function wordsOf(settings, share) {
    return [
        "--background", "--command", "pads", "clean", settings.takes,
        "--output", settings.results,
        "--shard", `${share}/${settings.shares}`,
        "--strength", `${settings.strength}`,
        "--resume",
    ];
}
