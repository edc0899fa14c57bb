"""The systemd units that cmake makes: complete, accepted by systemd, and hardened."""

import pathlib
import re
import subprocess

import pytest

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


def settings(units, program):
    lines = (units / f"classclock-{program}.service").read_text().splitlines()
    return [line.rpartition("/")[2] for line in lines if line.startswith("EnvironmentFile=")]


def test_every_program_has_a_socket_and_a_service(units):
    assert sorted(p.stem for p in units.glob("*.service")) == [f"classclock-{p}" for p in PROGRAMS]
    assert sorted(p.stem for p in units.glob("*.socket")) == [f"classclock-{p}" for p in PROGRAMS]


def test_systemd_accepts_them(units):
    files = sorted(units.glob("*.s*"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True,
                          text=True)
    assert "classclock" not in done.stderr, done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_exposure_is_low(units, program):
    done = subprocess.run(
        ["systemd-analyze", "--offline=true", "security", units / f"classclock-{program}.service"],
        capture_output=True, text=True)
    exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)[1])
    assert exposure <= WORST_EXPOSURE


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gets_the_secrets_its_code_reads_and_no_others(units, program):
    source = (ROOT / "cgi" / f"{program}.c").read_text()
    assert ("auth" in settings(units, program)) == ("NEED_AUTH_SECRET" in source)
    assert ("cron" in settings(units, program)) == ("cron_secret" in source)


@pytest.mark.parametrize("program", PROGRAMS)
def test_only_those_that_call_out_have_a_network(units, program):
    text = (units / f"classclock-{program}.service").read_text()
    assert ("PrivateNetwork=yes" not in text) == ("AF_INET" in text)
