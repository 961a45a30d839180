"""The command line: report (default), compare, check, submit, system."""
import os
import shlex
import sys
from pathlib import Path

from .errors import Arguments, InputError, one_line

USAGE = """\
wafermark-report FOLDER... -o report.html [--pdf]       a report of all results in these folders
wafermark-report compare A B                            two result sets: ratios, and which are more than noise
wafermark-report check FOLDER... --reference FILE       regression test: exit code 1 when a figure left its limits
wafermark-report submit FOLDER...                       official or not by the run rules, and a result sheet
wafermark-report system --out system.toml               a description of this machine for it, to be completed
"""


def report(arguments):
    from . import answer, browser, campaigns, output, page, submission
    from .replays import read_replays
    from .results import read_results

    parser = Arguments(prog="wafermark-report", usage=USAGE)
    parser.add_argument("folders", nargs="+", help="folders that hold a result.json, at whatever depth")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("report.html"), help="page to write (default: report.html)"
    )
    parser.add_argument("--pdf", action="store_true", help="print it to a PDF beside it, with Chromium")
    parser.add_argument("--paper", choices=browser.PAPERS, default="A4", help="of --pdf (default: A4)")
    parser.add_argument("--title", default="Wafermark: cluster and emulated wafer")
    parser.add_argument(
        "--sparsity",
        action="append",
        default=[],
        metavar="FILE",
        help="rows of tests/bench/compare_sparsity.py or wafer_sparsity.py --json FILE; may be repeated",
    )
    parser.add_argument(
        "--training-record",
        metavar="FILE",
        help=(
            "perplexities of pruned models (default: inputs/llama/training_record.json where sparse_llama is in the"
            " report)"
        ),
    )
    parser.add_argument(
        "--reference",
        metavar="FOLDER",
        help="results and published rates to set beside these (default: results/reference of Wafermark)",
    )
    parser.add_argument(
        "--system",
        action="append",
        default=[],
        metavar="FILE",
        help="description of a machine (default: system.toml in the folders); decides what is official",
    )
    options = parser.parse_args(arguments)
    output.check_output(options.output)
    pdf = options.output.with_suffix(".pdf") if options.output.name else options.output
    if options.pdf:
        output.check_output(pdf, "--pdf")
    if options.pdf and browser.find() is None:
        raise InputError(
            "--pdf: no Chromium found (Debian: chromium; or WAFERMARK_CHROMIUM), expected one to print with"
        )
    systems = submission.systems_in(options.folders, options.system)
    results = read_results(options.folders)
    evidence = answer.read_reference(options.reference)
    evidence.add_replays(read_replays(options.folders))
    command = "wafermark-report " + " ".join(shlex.quote(a) for a in arguments)
    of_campaigns = campaigns.read_campaigns(options.folders)
    if of_campaigns:  # the shipped ones stand beside them
        of_campaigns = campaigns.read_campaigns([*options.folders, options.reference or answer.REFERENCE])
    parts, missing = page.sections(
        results, evidence, options.sparsity, options.training_record, command, systems, of_campaigns
    )
    output.write_text(options.output, page.render(options.title, parts, results))
    print(
        f"report: {options.output} ({len(results)} results, {len(parts)} sections, {len(missing)} left out for want of"
        " data)"
    )
    if options.pdf:
        browser.print_pdf(options.output, pdf, options.paper)
        print(f"report: {pdf}")
    return 0


def compare(arguments):
    from . import compare as comparison

    return comparison.main(arguments)


def check(arguments):
    from . import regression

    return regression.main(arguments)


def submit(arguments):
    from . import submission

    return submission.main(arguments)


def system(arguments):
    from . import system as description

    return description.main(arguments)


def command(arguments):
    commands = {"compare": compare, "check": check, "submit": submit, "system": system}
    # A folder of that name is meant when it is there.
    chosen = commands.get(arguments[0]) if arguments and not os.path.exists(f"{arguments[0]}/result.json") else None
    return chosen(arguments[1:]) if chosen else report(arguments)


def main():
    for stream in (sys.stdout, sys.stderr):  # names of files need not be UTF-8, nor the terminal
        stream.reconfigure(errors="backslashreplace")
    try:
        code = command(sys.argv[1:])
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"wafermark-report: {one_line(error)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("WAFERMARK_TRACEBACK"):
            raise
        fault = f"fault of the report itself: {type(error).__name__}: {error}; WAFERMARK_TRACEBACK=1 shows where"
        print(f"wafermark-report: {one_line(fault)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
