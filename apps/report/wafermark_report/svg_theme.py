"""Plots as inline SVG whose colours are variables of the page's style sheet, so that they follow light and dark, and
whose text is text in the page's font."""
import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# Colour in the plot -> variable of the style sheet. Odd last digits keep them from meeting any other colour.
INK, FAINT, GRID, CARD = "#20242b", "#6b7481", "#dfe3e9", "#fdfdfe"
NATIVE, WAFER, MODEL, PUBLISHED = "#1f6fb3", "#d9480f", "#5a8f29", "#8a4fbf"
VARIABLES = {
    INK: "ink",
    FAINT: "faint",
    GRID: "grid",
    CARD: "card",
    NATIVE: "native",
    WAFER: "wafer",
    MODEL: "model",
    PUBLISHED: "published",
    # of plot_cascade.py
    "#2b6cb0": "native",
    "#333333": "ink",
    "#c9ccd1": "shadow",
    "#ffffff": "card",
    "#e3e6ea": "grid",
    "#f9f9fb": "pane",
    "#7a828c": "faint",
    "#000000": "ink",
}
SERIES = [NATIVE, "#0f8a8a", "#b0307a", "#7a6a00", "#4b5fc9", "#9a4a20"]
VARIABLES.update({c: f"series{i}" for i, c in enumerate(SERIES) if i > 0})
MARKERS = "os^Dv<>P"

STYLE = {
    "svg.fonttype": "none",
    "font.size": 12,
    "axes.titlesize": 12.5,
    "axes.labelsize": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.grid": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "axes.axisbelow": True,
    "font.family": "sans-serif",
    "text.parse_math": False,  # labels hold names of files and decks: a dollar is a dollar
}


def figure(width=5.4, height=3.9, panels=1):
    """A figure of one axes (or a row of them) in the page's style; `inline` closes it."""
    matplotlib.rcParams.update(STYLE)
    fig, axes = plt.subplots(1, panels, figsize=(width, height), layout="constrained")
    return fig, axes


_drawn = 0


def inline(fig, title):
    """The figure as an <svg> element: scales with the page, takes the page's colours, says its title to screen
    readers."""
    global _drawn
    _drawn += 1
    prefix = f"p{_drawn}"
    matplotlib.rcParams["svg.hashsalt"] = prefix
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    plt.close(fig)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'\bid="', f'id="{prefix}_', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}_', svg)
    svg = svg.replace("url(#", f"url(#{prefix}_").replace("xlink:href", "href")
    svg = re.sub(
        r"#[0-9a-fA-F]{6}\b(?=[\s;\"'])",
        lambda m: f"var(--{VARIABLES[m.group().lower()]})" if m.group().lower() in VARIABLES else m.group(),
        svg,
    )
    svg = re.sub(r"font: ([^;\"']*?px) [^;\"]*", r"font: \1 inherit-font", svg)
    svg = svg.replace("inherit-font", "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif")
    svg = svg.replace("text-anchor", "text-anchor")
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    width = float(re.search(r'width="([\d.]+)pt"', svg).group(1)) * 4 / 3
    svg = re.sub(r'<svg ([^>]*?)height="[\d.]+pt"', r"<svg \1", svg, count=1)
    svg = re.sub(r'width="[\d.]+pt"', f'style="max-width:{width:.0f}px"', svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1).strip()


def plain(value, _=None):
    """Tick labels: 0.01, 5, 2,000, 30k, 1M, 2e9."""
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            return f"{value / {'G': 1e9, 'M': 1e6, 'k': 1e3}[unit]:g}{unit}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:g}"


def log_axis(axis, base_two=False):
    """A logarithmic axis with plain labels."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    setter = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    setter("log", **({"base": 2} if base_two else {}))
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_formatter(NullFormatter())
    low, high = axis.get_view_interval()
    if not base_two and low > 0 and high < 30 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def swatch(handle):
    """A plot's legend entry as a small SVG: line with its dashes and marker, or a box for bars."""
    from matplotlib.colors import to_hex

    line = handle.lines[0] if hasattr(handle, "lines") and not hasattr(handle, "get_linestyle") else handle
    if not hasattr(line, "get_linestyle") or not hasattr(line, "get_marker"):
        patch = handle.patches[0] if hasattr(handle, "patches") else handle
        colour = to_hex(patch.get_facecolor())
        return (
            '<svg class="key" aria-hidden="true" viewBox="0 0 30 12"><rect x="6" y="1" width="18" height="10"'
            f' fill="{variable(colour)}"/></svg>'
        )
    colour = variable(to_hex(line.get_color()))
    marker = {
        "o": '<circle cx="15" cy="6" r="3.6"/>',
        "s": '<rect x="11.6" y="2.6" width="6.8" height="6.8"/>',
        "^": '<path d="M15 2l4 7h-8z"/>',
        "v": '<path d="M15 10l4-7h-8z"/>',
        "D": '<path d="M15 1.6l4.4 4.4-4.4 4.4-4.4-4.4z"/>',
        "*": '<path d="M15 0l1.8 4 4.2.3-3.3 2.8 1.1 4.4-3.8-2.4-3.8 2.4 1.1-4.4L9 4.3l4.2-.3z"/>',
        "<": '<path d="M11 6l7-4v8z"/>',
        ">": '<path d="M19 6l-7-4v8z"/>',
        "P": '<path d="M13 2h4v2.5h2.5v3H17V10h-4V7.5h-2.5v-3H13z"/>',
    }.get(line.get_marker(), "")
    dashes = line._unscaled_dash_pattern[1] if line.get_linestyle() not in ("-", "None") else None
    stroke = (
        ""
        if line.get_linestyle() == "None"
        else '<path d="M1 6h28" fill="none" stroke-width="2"'
        + (f' stroke-dasharray="{" ".join(f"{1.6 * d:g}" for d in dashes)}"' if dashes else "")
        + "/>"
    )
    return f'<svg class="key" aria-hidden="true" viewBox="0 0 30 12" fill="{colour}" stroke="{colour}">{stroke}{marker}</svg>'


def variable(colour):
    return f"var(--{VARIABLES[colour]})" if colour in VARIABLES else colour


def legend(axes):
    """[(swatch, label)] of what is drawn in the axes. The page sets them below the plot, where they wrap on a phone."""
    return [(swatch(h), label) for h, label in zip(*axes.get_legend_handles_labels())]
