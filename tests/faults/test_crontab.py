"""Debian's cron takes cron/classclock.cron as it is, and runs its jobs; the journal gets what they have to say."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
CRON = "/usr/sbin/cron"
JOBS = {"session-timeout", "telegram-outbox", "journal-replay", "retention"}

# Runs in namespaces of its own: what it mounts and starts ends with it, and the machine's own crontabs
# are out of sight. Three seconds before the one minute of all jobs, for cron's clock, cron starts.
SCRIPT = r"""
set -e
for folder in /etc/cron.d /var/spool/cron /usr/local/bin /run /dev/shm; do mount -t tmpfs none "$folder"; done
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
install -m 644 "$CRONTAB" /etc/cron.d/classclock
install -m 1777 -d /run/ran
for job in $JOBS; do
    printf '#!/bin/sh\necho "$(id -un) $# $PATH" >"/run/ran/%s"; echo went well; echo %s broke >&2\n' "$job" "$job" \
        >"/usr/local/bin/$job"
    chmod 755 "/usr/local/bin/$job"
done
install -m 1777 -d /run/said
printf '#!/bin/sh\n[ "$1" = -t ] && cat >"/run/said/$2"\n' >/run/logger
chmod 755 /run/logger
mount --bind /run/logger /usr/bin/logger
faketime -f '@2026-01-05 04:14:57' /usr/sbin/cron -f &
cd /run
for _ in $(seq 3000); do
    [ "$(cat ran/* said/* 2>/dev/null | wc -l)" -lt 8 ] || break
    sleep 0.1
done
grep -H . ran/* said/* || true
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run cron apart from the machine's")
def test_cron_runs_every_line_as_it_stands():
    if not os.path.exists(CRON) or not shutil.which("faketime"):
        pytest.skip("needs the packages cron and faketime")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", SCRIPT],
        env={**os.environ, "CRONTAB": str(ROOT / "cron/classclock.cron"), "JOBS": " ".join(JOBS)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if "unshare:" in done.stderr:
        pytest.skip("no namespaces here: " + done.stderr)
    ran = dict(line.split(":", 1) for line in done.stdout.splitlines())
    assert {name.removeprefix("ran/") for name in ran if name.startswith("ran/")} == JOBS, done.stderr
    for job in JOBS:
        user, arguments, _ = ran[f"ran/{job}"].split(" ", 2)
        assert (user, arguments) == ("www-data", "0"), job
        assert ran.get(f"said/{job}") == f"{job} broke"  # without a mail server cron would throw it away


def test_the_crontab_holds_no_secret_and_no_path():
    for line in (ROOT / "cron/classclock.cron").read_text().splitlines():
        assert "SECRET" not in line and "PATH" not in line and "DATABASE_URL" not in line
