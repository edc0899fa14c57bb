"""An empty academy that was made once, for instances to begin as copies of it: ./dev up comes to the same,
and takes twice as long where it has a cluster to make. ./dev test names the folder for it."""

import contextlib
import fcntl
import os
import pathlib
import random
import socket
import subprocess

DEV = pathlib.Path(__file__).resolve().parents[2] / "dev"
FOLDER = os.environ.get("CLASSCLOCK_MADE")
_ports = []  # sockets that stand for a port that this process has taken


def free_port():
    """A port that nobody listens on, and nobody will before it is used: the kernel gives it to none who asks for any,
    and no other process of the tests takes it while this one lives."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(11_000, max(low, 20_000))
    for port in random.SystemRandom().sample(ports, len(ports)):
        ours = socket.socket(socket.AF_UNIX)
        with contextlib.closing(socket.socket()) as s:
            try:
                ours.bind(f"\0classclock-port-{port}")
                s.bind(("127.0.0.1", port))
            except OSError:
                ours.close()
                continue
        _ports.append(ours)
        return port
    raise AssertionError("no port is free")


def begin(state):
    """Makes the state folder of an empty academy, but for its secrets; nothing where no folder is named."""
    if not FOLDER:
        return
    made = pathlib.Path(FOLDER) / "empty"
    with open(f"{FOLDER}/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(pathlib.Path(FOLDER) / "new", made)
    subprocess.run(["cp", "-a", made, state], check=True)


def _make(new, made):
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    for command in (["up", "--empty", "--detach", "--port", str(free_port())], ["down"]):
        subprocess.run([DEV, *command, "--state", new], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    (new / "secrets").unlink()
    for log in (new / "log").iterdir():
        log.unlink()
    new.rename(made)
