#!/usr/bin/env python3
"""Draws a campaign of cascades: Frenkel pairs against energy beside models and published sets, and clusters by size (or thresholds).

  plot_campaign.py CAMPAIGN_DIR -o campaign.png        (or .svg, .pdf)

Reads CAMPAIGN_DIR/campaign.json (written by `tungsten_md campaign`). Needs numpy, matplotlib and jsonschema.
"""
import argparse
import pathlib
import sys

try:
    import matplotlib
    from wafermark_report import campaigns, svg_theme
    from wafermark_report.documents import SCHEMAS, read_json
    from wafermark_report.errors import Arguments, InputError, one_line
    from wafermark_report.output import replacing
except ImportError as error:
    print(f"plot_campaign.py: {error}, expected Python 3.11 with numpy, matplotlib and jsonschema", file=sys.stderr)
    sys.exit(2)


def panels_of(campaign):
    """What there is to draw, as functions of axes."""
    groups = [g for of in campaigns.of_all_directions(campaign).values() for g in of]
    found = []
    if any(campaigns.drawable(g["pairs_end"]) or campaigns.drawable(g["pairs_peak"]) for g in groups):
        found.append(lambda axes: campaigns.draw_pairs(axes, campaign, campaigns.published_sets()))
        found.append(lambda axes: campaigns.draw_sizes(axes, max(groups, key=lambda g: g["energy_ev"])))
    rows = [r for r in campaign["thresholds"] if r["threshold_ev"]]
    if rows:
        found.append(lambda axes: campaigns.draw_thresholds(axes, rows))
    return found


def draw(folder, output):
    campaign = read_json(folder / "campaign.json", SCHEMAS / "campaign.schema.json")
    panels = panels_of(campaign)
    if not panels:
        raise InputError(f"{folder}/campaign.json: found no cascade that left a pair and no threshold, expected something to draw")
    matplotlib.use("Agg")  # the page's theme asks for svg
    fig, axes = svg_theme.figure(6.2 * len(panels), 4.6, len(panels))
    for panel, place in zip(panels, axes if len(panels) > 1 else [axes]):
        panel(place)
        if place.get_legend_handles_labels()[1]:
            place.legend(fontsize=9)
    fig.patch.set_facecolor("white")
    fig.suptitle(campaign["title"], fontsize=13)
    formats = fig.canvas.get_supported_filetypes()
    ending = output.suffix[1:].lower()
    if ending not in formats:
        raise InputError(f"-o {output}: found ending {ending!r}, expected one of {', '.join(sorted(formats))}")
    with replacing(output) as temporary:
        fig.savefig(temporary, format=ending, dpi=120, facecolor="white")


def main():
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, help="folder of a campaign")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="picture to write; default DIRECTORY/campaign.png")
    try:
        options = parser.parse_args()
        draw(options.directory, options.output or options.directory / "campaign.png")
    except InputError as error:
        print(f"plot_campaign.py: {one_line(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
