"""Another node: a zoom_track with a journal of its own, asked as nginx would ask it."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from academy import PHONE, wait_for
from fastcgi import answer_of, request_of
from rig import is_back

NAME = "other_zoom_track"  # so that the proxy can tell it from the instance's


class Node:
    def __init__(self, rig):
        self.rig, self.folder = rig, pathlib.Path(tempfile.mkdtemp(prefix="classclock-node."))
        self.folder.chmod(0o755)
        self.journal = self.folder / "journal"
        self.journal.mkdir(mode=0o700)
        program = shutil.copy(rig.build / "cgi" / "zoom_track", self.folder / NAME)
        user = "www-data" if os.geteuid() == 0 else None
        if user:
            shutil.chown(self.journal, user, user)
        with socket.socket(socket.AF_UNIX) as listening, (self.folder / "log").open("wb") as log:
            listening.bind(str(self.folder / "sock"))
            listening.listen(64)
            self.process = subprocess.Popen(
                [program], stdin=listening, stdout=log, stderr=log, user=user,
                env={"CLASSCLOCK_ENV": rig.env_file, "JOURNAL_DIR": str(self.journal)},
            )  # fmt: skip

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)

    def get(self, target):
        """The status of the answer."""
        path, _, query = target.partition("?")
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in PHONE.items() if value}
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(60)
            peer.connect(str(self.folder / "sock"))
            peer.sendall(request_of(
                keep=False, REQUEST_METHOD="GET", SCRIPT_NAME=path, QUERY_STRING=query, REMOTE_ADDR="127.0.0.1",
                REQUEST_SCHEME="http", REQUEST_ID="0" * 32, **headers,
            ))  # fmt: skip
            said = answer_of(peer)
        assert said.startswith(b"Status: "), said[:200]
        return int(said[8:11])

    def replay(self):
        """What its own journal-replay returns."""
        with self.rig.program("journal-replay", JOURNAL_DIR=str(self.journal)) as job:
            job.communicate(timeout=600)
        return job.returncode

    def until_clicks_reach_the_database(self):
        wait_for(lambda: is_back((self.folder / "log").read_text()))
