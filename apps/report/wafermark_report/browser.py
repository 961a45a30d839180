"""Chromium without a window: pages to PDF and to pictures."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .errors import InputError
from .output import replacing

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")


def find():
    """The browser's path, None where there is none. WAFERMARK_CHROMIUM comes first."""
    for name in (os.environ.get("WAFERMARK_CHROMIUM"), *NAMES):
        if name and shutil.which(name):
            return shutil.which(name)
    return None


def run(arguments, page, timeout=120):
    """Chromium on a local page with a profile of its own. Returns what it said; raises InputError when it fails."""
    browser = find()
    if browser is None:
        raise InputError(
            "no Chromium found (Debian: chromium; or WAFERMARK_CHROMIUM), expected one to print the PDF with"
        )
    with tempfile.TemporaryDirectory(prefix="wafermark-chromium-") as profile:
        command = [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            f"--user-data-dir={profile}",
            "--hide-scrollbars",
            *arguments,
            Path(page).resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise InputError(f"{browser}: did not finish {page} within {timeout} s") from None
    if done.returncode != 0:
        raise InputError(f"{browser}: ended with {done.returncode} on {page}: {done.stderr.strip()[-200:]}")
    return done.stdout, done.stderr


PAPERS = ("A4", "Letter")


def for_paper(html, paper):
    """The page for a PDF: of that size, with what is folded open."""
    return html.replace("</head>", f"<style>@page {{ size: {paper}; }}</style></head>", 1).replace("<details>", "<details open>")


def print_pdf(page, pdf, paper="A4"):
    """The page as a PDF on one of PAPERS."""
    with replacing(pdf, "--pdf") as temporary, tempfile.TemporaryDirectory(prefix="wafermark-print-") as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(for_paper(Path(page).read_text(encoding="utf-8"), paper), encoding="utf-8")
        run([f"--print-to-pdf={temporary}", "--no-pdf-header-footer"], copy)
        if os.stat(temporary).st_size == 0:
            raise InputError(f"{pdf}: Chromium wrote nothing")
