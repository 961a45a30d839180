#!/usr/bin/env python3
"""ReFrame tests and the Spack package, which Debian has neither tool for: loaded with small stand-ins of what they import.
(The ReFrame tests were also run by ReFrame 4.11 itself; Spack was not at hand.) The JUBE file is run by JUBE, where it is installed, with
stand-ins of the programs.

usage: test_site_tools.py
"""
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
JOBSCRIPTS = SOURCE / "jobscripts"
PACKAGE = JOBSCRIPTS / "spack_repo/wafermark/packages/wafermark/package.py"


def module(name, **content):
    made = types.ModuleType(name)
    made.__dict__.update(content)
    sys.modules[name] = made
    return made


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def plain(function=None, **_):
    return (lambda f: f) if function is None else function


def stand_in_of_reframe():
    class Sanity:
        all = staticmethod(lambda found: all(found))
        assert_found = staticmethod(lambda pattern, path: bool(re.search(pattern, Path(path).read_text())))
        assert_not_found = staticmethod(lambda pattern, path: not re.search(pattern, Path(path).read_text()))
        defer = staticmethod(lambda value: value)
        make_performance_function = staticmethod(lambda value, unit: (value, unit))

    sanity = module("reframe.utility.sanity", **{k: getattr(Sanity, k) for k in dir(Sanity) if not k.startswith("_")})
    utility = module("reframe.utility", sanity=sanity)
    core = module("reframe.core")
    core.builtins = module(
        "reframe.core.builtins", parameter=lambda values: values[0], variable=lambda kind, value=None: value,
        run_after=lambda stage: plain, run_before=lambda stage: plain, sanity_function=plain)
    module("reframe", RunOnlyRegressionTest=object, simple_test=plain, utility=utility, core=core)


PROGRAM = """#!/bin/sh
while [ "$1" != --out ]; do shift; done
mkdir -p "$2"; echo '{"valid": true}' >"$2/result.json"
echo '  RATE     123.5 1/s measured'
"""


@unittest.skipIf(shutil.which("jube") is None, "no JUBE (Debian: jube)")
class Jube(unittest.TestCase):
    def results(self, *words):
        """What JUBE prints of a run of the file with programs that only say so."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            text = (JOBSCRIPTS / "jube/wafermark.yaml").read_text()
            for old, new in (("$source/build/release/apps", str(folder)), ("mpirun -np", "env RANKS="), ("outpath: wafermark_runs", f"outpath: {folder}/runs")):
                self.assertIn(old, text)
                text = text.replace(old, new)
            text = text.replace("env RANKS= $ranks", "env").replace("$launcher $ranks", "env RANKS=$ranks")
            (folder / "wafermark.yaml").write_text(text)
            for app, rate in (("tungsten_md", "steps_per_second"), ("sparse_llama", "decode_tokens_per_second")):
                (folder / app).mkdir()
                (folder / app / app).write_text(PROGRAM.replace("RATE", rate))
                (folder / app / app).chmod(0o755)
            done = subprocess.run(["jube", "run", "wafermark.yaml", *words], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            return subprocess.run(["jube", "result", "-a", "runs"], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def test_each_app_by_its_tag_and_both_without(self):
        md, llama = self.results("--tag", "md"), self.results("--tag", "llama")
        self.assertEqual(len(re.findall(r"\| *sc24_\w+ \| *\d \| *123.5 \| *true \|", md)), 6)
        self.assertNotIn("tinyllama", md)
        self.assertEqual(len(re.findall(r"\| *tinyllama-1.1b \| *\w+ \| *\d \| *123.5 \| *true \|", llama)), 4)
        self.assertNotIn("sc24", llama)
        both = self.results()
        self.assertIn("sc24_W", both)
        self.assertIn("tinyllama", both)


class ReFrame(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stand_in_of_reframe()
        cls.checks = load(JOBSCRIPTS / "reframe/wafermark_checks.py")

    def result(self, folder, **changes):
        figures = [("steps_per_second", 12.5, "1/s"), ("joules_per_atom_step", None, "J"), ("atoms", 10, ""),
                   ("decode_tokens_per_second", 3.0, "")]
        document = {"valid": True, "status": "complete",
                    "figures": [{"name": n, "value": v, "unit": u} for n, v, u in figures]} | changes
        (Path(folder) / "out").mkdir()
        path = Path(folder) / self.checks.RESULT
        path.write_text(json.dumps(document))
        return path

    def test_performance_variables_are_the_rates_and_energies_of_the_result(self):
        with tempfile.TemporaryDirectory() as folder:
            self.result(folder)
            check = self.checks.tungsten_md()
            check.stagedir = folder
            check.figures()
            self.assertEqual(check.perf_variables, {"steps_per_second": (12.5, "1/s"), "decode_tokens_per_second": (3.0, "1")})

    def test_only_complete_and_valid_results_are_sane(self):
        for changes, sane in (({}, True), ({"valid": False}, False), ({"status": "incomplete"}, False)):
            with tempfile.TemporaryDirectory() as folder:
                self.checks.RESULT = "out/result.json"
                path = self.result(folder, **changes)
                self.checks.RESULT = str(path)
                self.assertEqual(bool(self.checks.tungsten_md().is_valid()), sane)
        self.checks.RESULT = "out/result.json"

    def test_commands_name_decks_that_there_are(self):
        check = self.checks.tungsten_md()
        check.command()
        self.assertEqual((check.executable, check.executable_opts[0], check.executable_opts[-2:]), ("tungsten_md", "run", ["--out", "out"]))
        self.assertTrue(Path(check.executable_opts[1]).is_file())
        llama = self.checks.sparse_llama()
        llama.command()
        self.assertIn("tinyllama-1.1b:sparsity=0.7", llama.executable_opts)


class Recorder:
    """What package.py says, by directive."""

    def __init__(self):
        self.depends, self.variants, self.conflicts, self.conditions, self.generators = [], {}, [], [], []

    def names(self):
        def when(condition):
            class Block:
                def __enter__(_):
                    self.conditions.append(condition)

                def __exit__(_, *__):
                    self.conditions.pop()

            return Block()

        return {
            "depends_on": lambda spec, when="", type="": self.depends.append((spec, " ".join([*self.conditions, when]).strip())),
            "variant": lambda name, default=None, description="": self.variants.setdefault(name, default),
            "conflicts": lambda spec, when="": self.conflicts.append((spec, when)),
            "license": lambda *_: None, "version": lambda *_, **__: None, "when": when,
        }


class Spec:
    def __init__(self, *variants):
        self.variants = variants

    def satisfies(self, variant):
        return variant in self.variants

    def __getitem__(self, name):
        return types.SimpleNamespace(hipcc="/opt/hipcc")


class Spack(unittest.TestCase):
    def setUp(self):
        self.said = Recorder()
        for name, base in (("cmake", "CMakePackage"), ("cuda", "CudaPackage"), ("rocm", "ROCmPackage")):
            content = {"cuda_arch_values": ("80", "90"), "amdgpu_targets": ("gfx90a",)}
            module(f"spack_repo.builtin.build_systems.{name}", **{base: type(base, (), content)}, generator=self.said.generators.append)
        for name in ("spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems", "spack"):
            module(name)
        module("spack.package", **self.said.names())
        self.package = load(PACKAGE).Wafermark

    def arguments(self, *variants):
        made = self.package()
        made.spec = Spec(*variants)
        made.define = lambda name, value: f"{name}={value}"
        made.define_from_variant = lambda name, variant: f"{name}=<{variant}>"
        type(made).__getitem__ = lambda self, name: types.SimpleNamespace(kokkos_cxx="/opt/nvcc_wrapper")
        return made.cmake_args()

    def test_it_builds_the_checkout_that_it_lies_in(self):
        self.assertEqual(self.package.git, f"file://{SOURCE}")

    def test_no_loop_leaves_a_name_in_the_class(self):
        """Spack's packages have `name`, `arch` and `target` of their own, and a loop variable in the class takes their place."""
        self.assertEqual({n for n in vars(self.package) if not n.startswith("_")}, {"git", "cmake_args"})

    def test_it_is_built_with_ninja(self):
        """As a dependency alone it would be there, and make be taken."""
        self.assertEqual(self.said.generators, ["ninja"])
        self.assertNotIn("ninja", [spec for spec, _ in self.said.depends])

    def test_it_is_built_for_the_cpu_that_spack_chose(self):
        self.assertIn("WAFERMARK_CPU=", self.arguments())

    def test_what_cmake_looks_for_is_a_dependency(self):
        found = set(re.findall(r"find_package\((\w+)", (SOURCE / "cmake/Dependencies.cmake").read_text()))
        names = {spec.split()[0].split("@")[0].replace("-", "").lower() for spec, _ in self.said.depends}
        other = {"blas": "openblas", "lapack": "openblas", "nlohmann_json": "nlohmannjson", "zlib": "zlibapi",
                 "cudatoolkit": "cuda"}  # Spack's names
        for package in found:
            self.assertIn(other.get(package.lower(), package.lower()), names)

    def test_gpus_come_with_kokkos_and_its_compiler(self):
        self.assertIn(("kokkos +cuda +wrapper ~cmake_lang cuda_arch=90", "+cuda cuda_arch=90"), self.said.depends)
        self.assertIn(("kokkos +cuda_lambda", "+cuda ^kokkos@4"), self.said.depends)  # off by default there
        self.assertIn(("kokkos +rocm ~cmake_lang amdgpu_target=gfx90a", "+rocm amdgpu_target=gfx90a"), self.said.depends)
        self.assertIn(("+cuda", "cuda_arch=none"), self.said.conflicts)
        self.assertIn("CMAKE_CXX_COMPILER=/opt/nvcc_wrapper", self.arguments("+cuda"))
        self.assertIn("WAFERMARK_BACKEND=CUDA", self.arguments("+cuda"))
        self.assertIn("CMAKE_CXX_COMPILER=/opt/hipcc", self.arguments("+rocm"))
        self.assertFalse(any("CMAKE_CXX_COMPILER" in a for a in self.arguments()))

    def test_the_report_needs_what_its_script_imports(self):
        (modules,) = re.findall(r"^modules=(.*)$", (SOURCE / "apps/report/wafermark-report").read_text(), re.M)
        wanted = {f"py-{m}" for m in modules.split(",") if m != "tomllib"}
        self.assertLessEqual(wanted, {spec for spec, when in self.said.depends if when == "+report"})

    def test_the_environment_names_the_package_and_its_repository(self):
        text = (JOBSCRIPTS / "spack.yaml").read_text()
        self.assertIn("wafermark: spack_repo/wafermark", text)
        self.assertIn("- wafermark@main +report +tests", text)
        specs = re.findall(r"^  - (.*?)(?: +#.*)?$", text, re.M)
        self.assertEqual(len(specs), 3)
        for spec in specs:  # YAML takes `name: more` for a table
            self.assertTrue(spec.startswith('"') or ": " not in spec, spec)
        self.assertTrue((JOBSCRIPTS / "spack_repo/wafermark/repo.yaml").is_file())


if __name__ == "__main__":
    unittest.main()
