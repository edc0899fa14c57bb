"""Comparisons: pairs of figures taken in turn, their ratios, and the table in docs/benchmarks.md.

A row compares two things that were run one after the other, several times over. Its figure is the median of the
ratios of the pairs, so a slow minute of the machine falls on both.
"""

import json
import os
import pathlib
import platform
import re
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "docs" / "benchmarks.md"


class Row:
    """One comparison. bound is "at least" or "at most"; pairs are (ours, theirs)."""

    def __init__(self, work, against, bound, target, unit=""):
        self.work, self.against, self.bound, self.target, self.unit = work, against, bound, target, unit
        self.pairs = []

    def add(self, ours, theirs):
        self.pairs.append((ours, theirs))

    @property
    def ratios(self):
        return [ours / theirs for ours, theirs in self.pairs]

    @property
    def verdict(self):
        if self.target is None:
            return ""
        median = statistics.median(self.ratios)
        held = median >= self.target if self.bound == "at least" else median <= self.target
        return "met" if held else "**missed**"

    def cells(self):
        ours, theirs = (statistics.median(side) for side in zip(*self.pairs))
        ratios = self.ratios
        wanted = "for comparison" if self.target is None else f"{self.bound} {self.target:g}"
        return [
            self.work,
            self.against,
            f"{number(ours)} : {number(theirs)}{' ' + self.unit if self.unit else ''}",
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f} ({len(ratios)})",
            wanted,
            self.verdict,
        ]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


HEAD = ["work", "against", "medians", "ratio", "spread (pairs)", "wanted", ""]


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows if row.pairs)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show(rows):
    """Prints the rows as a table for a terminal."""
    lines = [HEAD, *(row.cells() for row in rows if row.pairs)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip(), flush=True)


def machine():
    """What the figures were measured on and with."""

    def said(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).splitlines()[0]

    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) // 2**20
    peers = json.loads((ROOT / "tests/bench/peers/package.json").read_text())["dependencies"]
    return (
        f"{os.cpu_count()} processors ({cpu}), {memory} GiB, Linux {platform.release()};"
        f" {said('/usr/lib/postgresql/15/bin/postgres', '--version')}, {said('/usr/sbin/nginx', '-v')},"
        f" Node {said('node', '--version')}, Fastify {peers['fastify']}, pg {peers['pg']}, {said('php-fpm8.2', '-v')}."
    )


def publish(name, rows, notes, quick):
    """Prints the rows of a group and, unless it was a quick run, puts them in its place in the document."""
    if rows:
        show(rows)
    for note in notes:
        print(note, flush=True)
    if quick:
        return
    text = re.sub(
        r"(<!-- machine -->\n).*?(<!-- end of machine -->)", lambda m: f"{m[1]}{machine()}\n{m[2]}", DOC.read_text(), flags=re.S
    )
    part = "\n\n".join([*([markdown(rows)] if rows else []), *notes])
    new, n = re.subn(
        rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", lambda m: f"{m[1]}\n{part}\n\n{m[2]}", text, flags=re.S
    )
    assert n == 1, f"{DOC} has no place for {name}"
    DOC.write_text(new)
