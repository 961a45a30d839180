"""ReFrame tests (4.x) of Wafermark: each runs a problem and takes its performance variables from result.json.

  reframe -C your_site.py -c jobscripts/reframe/wafermark_checks.py -r
  reframe ... -S binary=/path/of/tungsten_md -S num_tasks=8 -S num_tasks_per_node=4 -n tungsten_md

A run is sane when its result is complete and valid. Every figure that is measured and ends in per_second, and the energy where
there is a meter, is a performance variable; references come from your site's settings, as `steps_per_second`.
"""
import json
import os

import reframe as rfm
import reframe.utility.sanity as sn
from reframe.core.builtins import parameter, run_after, run_before, sanity_function, variable

INPUTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../inputs"))
RESULT = "out/result.json"


def figures_of(path):
    """name -> (value, unit) of what a run was for: its rates and its energies that could be had."""
    with open(path) as file:
        result = json.load(file)
    wanted = ("per_second", "joules_per_atom_step", "joules_per_token")
    return {f["name"]: (f["value"], f["unit"] or "1") for f in result["figures"]
            if f["value"] is not None and f["name"].endswith(wanted)}


class WafermarkCheck(rfm.RunOnlyRegressionTest):
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    binary = variable(str, value="")
    num_tasks = 2
    time_limit = "30m"

    def words(self):
        raise NotImplementedError

    @run_after("init")
    def command(self):
        self.executable = self.binary or self.app
        self.executable_opts = ["run", *self.words(), "--out", os.path.dirname(RESULT)]

    @sanity_function
    def is_valid(self):
        return sn.all([sn.assert_found(r'"valid": *true', RESULT), sn.assert_not_found(r'"status": *"incomplete"', RESULT)])

    @run_before("performance")
    def figures(self):
        found = figures_of(os.path.join(self.stagedir, RESULT))
        self.perf_variables = {
            name: sn.make_performance_function(sn.defer(value), unit) for name, (value, unit) in found.items()
        }


@rfm.simple_test
class tungsten_md(WafermarkCheck):
    descr = "Molecular dynamics of the suite"
    app = "tungsten_md"
    deck = parameter(["strong_scaling", "sc24_Ta", "sc24_Cu", "sc24_W"])
    steps = variable(int, value=1000)

    def words(self):
        return [os.path.join(INPUTS, "tungsten", self.deck + ".toml"), "--set", f"run.steps={self.steps}"]


@rfm.simple_test
class sparse_llama(WafermarkCheck):
    descr = "Decoding of a Llama in true shapes with 70 % of its weights cut"
    app = "sparse_llama"
    model = parameter(["tinyllama-1.1b", "llama2-7b"])
    storage = parameter(["bit_mask", "dense"])

    def words(self):
        return ["--synthetic", f"{self.model}:sparsity=0.7", "--format", self.storage, "--value", "int8", "--quiet"]
