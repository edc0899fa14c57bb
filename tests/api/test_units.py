"""The systemd units that cmake makes: complete, accepted by systemd, and hardened."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from academy import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted(p.stem for p in (ROOT / "cgi").glob("*.c"))
WORST_EXPOSURE = 2.0


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units as configured, with a program that exists on this machine."""
    folder = tmp_path_factory.mktemp("units")
    build = folder / "build"
    subprocess.run(["cmake", "-S", ROOT, "-B", build], check=True, capture_output=True)
    for unit in (build / "systemd").iterdir():
        text = re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
        (folder / unit.name).write_text(text)
    return folder


# What no program can do without, and what it then says. The rest of its settings switch something on.
NEEDS = {
    "DATABASE_URL": "host=/nonexistent dbname=x",
    "BASE_URL": "https://class.example.org",
    "AUTH_SECRET": "0123456789abcdef0123456789abcdef",
    "JOURNAL_DIR": "/nonexistent",
}


def all_settings():
    """The table of lib/conf.c."""
    return set(re.findall(r'^\t\{ "([A-Z_]+)",', (ROOT / "lib/conf.c").read_text(), re.M))


def given(units, program):
    """The settings that systemd passes on to the program, if /etc/classclock/env has them all."""
    text = (units / f"classclock-{program}.service").read_text()
    (withheld,) = re.findall(r"^UnsetEnvironment=(.*)$", text, re.M)
    assert set(withheld.split()) < all_settings()
    return all_settings() - set(withheld.split())


def needed(program):
    source = (ROOT / "cgi" / f"{program}.c").read_text()
    flags = set(re.findall(r"NEED_(\w+)", source))
    return {"DATABASE_URL", "BASE_URL"} | {{"JOURNAL": "JOURNAL_DIR"}.get(flag, flag) for flag in flags}


@pytest.fixture(scope="module")
def build():
    return pathlib.Path(os.environ.get("CLASSCLOCK_BUILD", ROOT / "build"))


def start(build, program, names):
    """Runs a program with these settings alone, on a socket of its own."""
    env = {name: NEEDS[name] for name in names if name in NEEDS}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # a name of the kernel's choice
        listener.listen()
        return subprocess.Popen(
            [build / "cgi" / program],
            stdin=listener,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"CLASSCLOCK_ENV": "/dev/null", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **env},
            text=True,
        )


def test_every_program_has_a_socket_and_a_service(units):
    assert sorted(p.stem for p in units.glob("*.service")) == [f"classclock-{p}" for p in PROGRAMS]
    assert sorted(p.stem for p in units.glob("*.socket")) == [f"classclock-{p}" for p in PROGRAMS]


def test_systemd_accepts_them(units):
    files = sorted(units.glob("*.s*"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True,
                          text=True)
    assert "classclock" not in done.stderr, done.stderr


@pytest.fixture(scope="module")
def exposures(units):
    done = subprocess.run(["systemd-analyze", "--offline=true", "security", *sorted(units.glob("*.service"))],
                          capture_output=True, text=True)
    return dict(re.findall(r"exposure level for classclock-(\S+)\.service: ([0-9.]+)", done.stdout))


@pytest.mark.parametrize("program", PROGRAMS)
def test_exposure_is_low(exposures, program):
    assert float(exposures[program]) <= WORST_EXPOSURE


def test_the_list_of_settings_is_whole(units):
    """None is forgotten in units.cmake: what is not on its list would reach everybody."""
    seen = {name for program in PROGRAMS for name in given(units, program)}
    assert seen == all_settings() - {"RETENTION_DAYS"}  # which is for the jobs alone
    assert sum(len(needed(program)) for program in PROGRAMS) > 70


def serves(pid):
    """A parent has read its settings when it holds back SIGTERM."""
    (blocked,) = re.findall(r"^SigBlk:\t(\w+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(blocked, 16) >> (signal.SIGTERM - 1) & 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_starts_with_what_its_unit_gives_and_stops_without(units, build, program):
    """That it needs no more in use is shown by all other tests: ./dev starts programs with the same."""
    names = given(units, program)
    assert needed(program) <= names
    running = start(build, program, names)
    wait_for(lambda: running.poll() is not None or serves(running.pid))
    assert running.poll() is None, running.stderr.read()
    running.terminate()
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    for missing in sorted(needed(program)):
        stopped = start(build, program, names - {missing})
        told, said = stopped.communicate(timeout=60)
        (line,) = said.splitlines()
        assert stopped.returncode == 1 and not told and "level=error" in line and f"setting {missing} is missing" in line
        assert NEEDS["AUTH_SECRET"] not in line


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_given_no_more_than_its_code_reads(units, program):
    """Secrets above all: each that it is given is read by its own file, or by one that calls out."""
    source = (ROOT / "cgi" / f"{program}.c").read_text()
    optional = given(units, program) - needed(program)
    calls_out = {name for name in optional if re.match("TELEGRAM_(BOT|API)|ZOOM_(ACCOUNT|CLIENT|API|OAUTH)", name)}
    if re.search(r"chat_answer|zoom_create|outbox_send", source):
        optional -= calls_out
    for name in optional:
        assert name.lower() in source, name


def test_programs_do_not_look_into_each_other(build, app):
    """All are one user's; what one has in memory and environment is closed to the others all the same."""
    for name in ("zoom_track", "auth_login", "teacher_send_link"):
        pid = app.pid(name)
        for file in ("environ", "mem", "maps"):
            assert os.stat(f"/proc/{pid}/{file}").st_uid == 0, file


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_those_that_call_out_have_a_network(units, program):
    text = (units / f"classclock-{program}.service").read_text()
    assert ("PrivateNetwork=yes" not in text) == ("AF_INET" in text)
    source = (ROOT / "cgi" / f"{program}.c").read_text()
    assert ("AF_INET" in text) == bool(re.search(r"chat_answer|zoom_create|outbox_send", source))


def database_connections():
    """Of all programs under load. Source: docs/architecture.md, lib/app.h."""
    (default,) = re.findall(r"#define WORKERS_DEFAULT\s+(\d+)", (ROOT / "lib/app.h").read_text())
    workers = [re.search(r"\.workers = (\d+)", (ROOT / f"cgi/{p}.c").read_text()) for p in PROGRAMS]
    return sum(int(found[1] if found else default) for found in workers) + 1  # zoom_track has two


def test_the_manual_counts_the_connections():
    (said,) = re.findall(r": (\d+) for all programs under load", (ROOT / "docs/ops.md").read_text())
    assert int(said) == database_connections()


def test_dev_bounds_descriptors_as_the_units_do(app, units):
    for program in PROGRAMS:
        (bound,) = re.findall(r"^LimitNOFILE=(\d+)$", (units / f"classclock-{program}.service").read_text(), re.M)
        pid = app.pid(program)
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert re.search(rf"^Max open files +{bound} +{bound} ", limits, re.M), program
