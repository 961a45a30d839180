"""A report of real runs, looked at with headless Chromium: at desktop and phone width, in light and dark.

  test_browser.py TUNGSTEN_MD MPIEXEC [PICTURES]     PICTURES: folder to keep the screenshots in

Checks that nothing is wider than the screen, that all links within the page lead somewhere, that the page asks for
nothing from outside and logs no error, that light and dark differ in page and plots, and that the PDF has pages. Exit
code 77 (skipped) without Chromium.
"""
import html
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import made_results
from wafermark_report import browser

WIDTHS = {"desktop": 1200, "phone": 390}
SCHEMES = {"dark": 0, "light": 1}  # Blink's preferredColorScheme

# Runs inside a copy of the page, inside a frame of the width to look at; tells the frame's owner what it found.
PROBE = f"<script>{Path(__file__).with_name('page_probe.js').read_text()}</script>"


def run_cases(tungsten_md, mpiexec, folder):
    """A strong-scaling series with its wafer runs, and a cascade: small, but by the programs themselves."""
    inputs = made_results.SOURCE / "inputs/tungsten"
    cases = []
    for cells in (6, 8, 10):
        for ranks in (1, 2):
            cases.append(
                (
                    f"native_{cells}_{ranks}",
                    ranks,
                    inputs / "strong_scaling.toml",
                    [f"structure.cells=[{cells},{cells},{cells}]", "run.steps=20"],
                    [],
                )
            )
    cases.append(
        (
            "wafer_10",
            2,
            inputs / "strong_scaling.toml",
            ["structure.cells=[10,10,10]", "run.steps=5"],
            ["--target", "wafer"],
        )
    )
    cases.append(
        (
            "cascade",
            2,
            inputs / "quickstart.toml",
            [
                'potential.file=""',
                "potential.table_points=0",
                "potential.core=zbl_dft",
                "structure.lattice_constant_angstrom=3.1652",
                "structure.cells=[10,10,10]",
                "run.steps=120",
                "pka.0.energy_ev=100",
                "pka.0.time_ps=0.02",
                "output.trajectory_formats=[]",
                "output.defects_every_steps=10",
            ],
            [],
        )
    )
    for name, ranks, deck, changes, more in cases:
        words = [mpiexec, "-np", str(ranks), tungsten_md, "run", str(deck), "--out", str(folder / name), *more]
        for change in changes:
            words += ["--set", change]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{name}: {done.returncode}: {done.stderr[-800:]}"


def look(page, folder, width, scheme):
    """What the probe found in the page at that width and in that scheme."""
    copy = folder / "probed.html"
    copy.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    outer = folder / "frame.html"
    outer.write_text(
        "<!DOCTYPE html><html><head><meta name='color-scheme' content='light dark'></head><body style='margin:0'><pre"
        " id='found'></pre><script>addEventListener('message', e => { document.getElementById('found').textContent ="
        f" JSON.stringify(e.data); }});</script><iframe src='probed.html' width='{width}' height='900'"
        " style='border:0'></iframe></body></html>"
    )
    out, log = browser.run(
        [
            f"--window-size={max(width, 600)},1000",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            "--dump-dom",
        ],
        outer,
    )
    found = re.search(r"<pre id=.found.>(.*?)</pre>", out, re.S)
    assert found and found[1], f"the probe said nothing: {log[-400:]}"
    errors = [line for line in log.splitlines() if "CONSOLE" in line]
    assert not errors, errors
    return json.loads(html.unescape(found[1]))


def screenshot(page, path, width, scheme):
    outer = path.with_suffix(".html")
    outer.write_text(
        "<!DOCTYPE html><html><head><meta name='color-scheme' content='light dark'></head><body"
        f" style='margin:0'><iframe src='{page.name}' width='{width}' height='6000'"
        " style='border:0;display:block'></iframe></body></html>"
    )
    browser.run(
        [
            f"--window-size={max(width, 500)},6000",
            f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
            f"--screenshot={path.resolve()}",
        ],
        outer,
    )
    outer.unlink()
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", f"{path}: not a PNG"
    return data


def check(found, width, scheme, figures=6):
    where = f"at {width} pixels, {scheme}: "
    assert found["width"] == width, f"{where}the frame is {found['width']} wide"
    assert (
        found["scroll"] <= width and not found["wide"]
    ), f"{where}wider than the screen: {found['scroll']}, {found['wide']}"
    assert not found["cut"], f"{where}texts of plots that are cut off: {found['cut']}"
    assert found["links"] >= 8 and not found["dangling"], f"{where}links that lead nowhere: {found['dangling']}"
    assert found["figures"] >= figures, f"{where}{found['figures']} figures"
    assert not found["asked"], f"{where}asked for {found['asked']}"
    assert (
        found["contrast"] > 7 and found["badge"] > 4
    ), f"{where}contrast of plots' text {found['contrast']}, of badges {found['badge']}"


def main():
    tungsten_md, mpiexec = sys.argv[1:3]
    if browser.find() is None:
        print("SKIPPED: no Chromium (Debian: chromium; or WAFERMARK_CHROMIUM)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_cases(tungsten_md, mpiexec, folder / "results")
        page = folder / "report.html"
        done = subprocess.run(
            [made_results.REPORT, folder / "results", "-o", page, "--pdf"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        text = page.read_text()
        for section in (
            "summary",
            "merit",
            "strong-scaling",
            "claim",
            "model",
            "energy",
            "wafer",
            "cascades",
            "validation",
            "appendix",
        ):
            assert f'<section id="{section}">' in text, f"no section {section}"
        seen = {}
        for what, width in WIDTHS.items():
            for scheme in SCHEMES:
                found = look(page, folder, width, scheme)
                check(found, width, scheme)
                seen[what, scheme] = found
                pictures = Path(sys.argv[3]) if len(sys.argv) > 3 else folder
                pictures.mkdir(parents=True, exist_ok=True)
                if pictures != folder:
                    (pictures / "report.html").write_text(text)
                shot = screenshot(pictures / "report.html", pictures / f"{what}_{scheme}.png", width, scheme)
                assert len(shot) > 30000, f"{what} {scheme}: the screenshot is empty"
                print(
                    f"{what} {scheme}: {found['figures']} figures, page {found['page']}, plots' text {found['ink']},"
                    f" contrast {found['contrast']:.1f}"
                )
        for what in WIDTHS:
            for key in ("page", "card", "ink"):
                assert (
                    seen[what, "light"][key] != seen[what, "dark"][key]
                ), f"{what}: {key} is the same in light and dark"
        pdf = page.with_suffix(".pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3, "the PDF has not three pages"
        # A broken page must be found broken.
        bad = folder / "bad.html"
        bad.write_text(text.replace("</main>", '<div style="width:3000px">wide</div><a href="#nowhere">x</a></main>'))
        found = look(bad, folder, 390, "light")
        assert found["wide"] and found["dangling"] == ["nowhere"], found
    return 0


if __name__ == "__main__":
    sys.exit(main())
