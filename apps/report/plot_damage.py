#!/usr/bin/env python3
"""Draws a campaign of cascades (Frenkel pairs against energy beside models and published sets, clusters by size, thresholds) or
irradiations to a dose (Frenkel pairs against dpa, all runs in one picture).

  plot_damage.py CAMPAIGN_DIR -o campaign.png          (or .svg, .pdf)
  plot_damage.py DOSE_DIR DOSE_DIR... -o dose.png

Reads campaign.json of `tungsten_md campaign`, or result.json and defects.json of runs with [dose]. Needs numpy, matplotlib and
jsonschema.
"""
import argparse
import pathlib
import sys

try:
    import matplotlib
    from wafermark_report import campaigns, doses, svg_theme
    from wafermark_report.documents import SCHEMAS, read_json
    from wafermark_report.errors import Arguments, InputError, as_program
    from wafermark_report.output import save_picture
    from wafermark_report.results import read_result
except ImportError as error:
    print(f"plot_damage.py: {error}, expected Python 3.11 with numpy, matplotlib and jsonschema", file=sys.stderr)
    sys.exit(2)


def panels_of_campaign(folder):
    """(title, functions that draw into axes)"""
    campaign = read_json(folder / "campaign.json", SCHEMAS / "campaign.schema.json")
    groups = [g for of in campaigns.of_all_directions(campaign).values() for g in of]
    found = []
    if any(campaigns.drawable(g["pairs_end"]) or campaigns.drawable(g["pairs_peak"]) for g in groups):
        found.append(lambda axes: campaigns.draw_pairs(axes, campaign, campaigns.published_sets()))
        found.append(lambda axes: campaigns.draw_sizes(axes, max(groups, key=lambda g: g["energy_ev"])))
    rows = [r for r in campaign["thresholds"] if r["threshold_ev"]]
    if rows:
        found.append(lambda axes: campaigns.draw_thresholds(axes, rows))
    return campaign["title"], found


def panels_of_doses(folders):
    runs = doses.doses_of([read_result(folder / "result.json") for folder in folders])
    return "Irradiation to a dose", [lambda axes: doses.draw(axes, runs)] if runs else []


def draw(folders, output):
    of_campaign = (folders[0] / "campaign.json").exists()
    title, panels = panels_of_campaign(folders[0]) if of_campaign else panels_of_doses(folders)
    if not panels:
        raise InputError(f"{folders[0]}: found no cascade that left a pair, no threshold and no dose, expected something to draw")
    matplotlib.use("Agg")  # the page's theme asks for svg
    fig, axes = svg_theme.figure(6.2 * len(panels) + (0 if len(panels) > 1 else 1.5), 4.6, len(panels))
    for panel, place in zip(panels, axes if len(panels) > 1 else [axes]):
        panel(place)
        if place.get_legend_handles_labels()[1]:
            place.legend(fontsize=9)
    fig.patch.set_facecolor("white")
    fig.suptitle(title, fontsize=13)
    save_picture(fig, output, dpi=120, facecolor="white")


def main():
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="folder of a campaign, or folders of runs with a dose")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="picture to write")
    options = parser.parse_args()
    draw(options.folders, options.output)


if __name__ == "__main__":
    as_program("plot_damage.py", main)
