"""What processes hold in memory."""

import pathlib
import re


def descendants(*roots):
    """The processes roots and all that they have started, or that lead a group of their own with a root's id."""
    parents, groups = {}, {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid], groups[pid] = int(words[1]), int(words[2])
    found = set(roots)
    while more := {p for p in parents if p not in found and (parents[p] in found or groups[p] in found)}:
        found |= more
    return found


def figure(pid, name):
    """A figure of the process's memory in KiB, 0 if it has gone."""
    file, pattern = ("smaps_rollup", "Pss") if name == "pss" else ("status", "VmRSS")
    try:
        found = re.search(rf"^{pattern}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/{file}").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def pss(pids):
    """MiB in all; what processes share is counted once."""
    return sum(figure(pid, "pss") for pid in pids) / 1024


def of_instance(place):
    """The processes of nginx and of all programs of an instance."""
    roots = [
        int(file.read_text().split()[0])
        for file in (place.state / "pids").iterdir()
        if file.name != "postgres" and not file.name.startswith(("timer-", "task-"))
    ]
    return descendants(*roots)
