"""A door to PostgreSQL that the tests hold: it cuts, stalls and garbles, and lets statements pass one
by one."""

import contextlib
import itertools
import os
import pathlib
import shutil
import socket
import struct
import tempfile
import threading

PORT = ".s.PGSQL.5432"
GARBAGE = bytes(byte ^ 0xA5 for byte in range(256))


class Fault:
    """What happens to a program's connections once so many bytes went by in a direction: "up" to the
    database, "down" to the program. how: "cut", "stall", "garble", or "" to count only."""

    def __init__(self, direction, after, how):
        self.direction, self.after, self.how = direction, after, how
        self.seen, self.fired = {"up": 0, "down": 0}, False
        self.lengths = {"up": [], "down": []}  # of the messages that went by


class Link(threading.Thread):
    """One connection of a program."""

    _numbers = itertools.count()

    def __init__(self, proxy, client, server, program):
        super().__init__(daemon=True)
        self.proxy, self.client, self.server, self.program = proxy, client, server, program
        self.number = next(self._numbers)
        self.lock = threading.Lock()
        self.held, self.answers, self.asked, self.backend = None, 0, 0, 0
        self.prepared, self.sql = {}, ""  # the texts of its statements by name, and of the last one
        self.garbles = set()
        self.released = threading.Event()
        self.over = threading.Event()

    def run(self):
        down = threading.Thread(target=self.pump, args=("down", self.server, self.client), daemon=True)
        down.start()
        self.pump("up", self.client, self.server)
        down.join()
        self.client.close()
        self.server.close()
        self.proxy.forget(self)

    def close(self):
        with self.proxy.changed:
            self.over.set()
            self.released.set()
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pump(self, direction, source, target):
        split = (Statements if direction == "up" else Answers)(self)
        try:
            while data := source.recv(65536):
                self.forward(direction, target, data, split)
        except OSError:
            pass
        self.close()

    def forward(self, direction, target, data, split):
        fault = self.proxy.faults.get(self.program)
        for part in split.take(data):
            if fault:
                fault.lengths[direction] += split.lengths
                part = self.suffer(fault, direction, target, part)
            split.lengths = []
            if direction in self.garbles:
                part = part.translate(GARBAGE)
            target.sendall(part)
        split.sent()

    def suffer(self, fault, direction, target, data):
        """What is left of data to be sent."""
        before = fault.seen[direction]
        fault.seen[direction] += len(data)
        if direction != fault.direction or not fault.how or fault.fired or before + len(data) <= fault.after:
            return data
        fault.fired = True
        target.sendall(data[: fault.after - before])
        if fault.how == "stall":
            self.over.wait()
        if fault.how != "garble":
            raise OSError
        self.garbles.add(direction)
        return data[fault.after - before :]


class Messages:
    """Cuts a stream into PostgreSQL's messages."""

    def __init__(self, link):
        self.link, self.buffer = link, b""
        self.lengths = []  # of those cut off lately

    def message(self, head):
        """The next whole message, of so many bytes before its length, or None."""
        if len(self.buffer) < head + 4:
            return None
        length = head + struct.unpack_from("!I", self.buffer, head)[0]
        if len(self.buffer) < length:
            return None
        text, self.buffer = self.buffer[:length], self.buffer[length:]
        self.lengths.append(length)
        return text


class Statements(Messages):
    """A program's side. Behind a gate a statement waits until it is let through."""

    def __init__(self, link):
        super().__init__(link)
        self.started, self.unit = False, b""

    def take(self, data):
        self.buffer += data
        while message := self.message(1 if self.started else 0):
            self.unit += message
            self.read(message)
            ends = self.started and message[:1] in b"SQX"
            if not self.started or ends:
                if ends and message[:1] != b"X":
                    self.unit = self.link.proxy.pass_gate(self.link, self.unit)
                self.started = True
                yield self.unit
                self.unit = b""

    def read(self, message):
        """Notes what it asks for."""
        link, words = self.link, message[5:].decode(errors="replace").split("\0")
        if self.started and message[:1] == b"P":
            link.prepared[words[0]] = link.sql = words[1]
        elif self.started and message[:1] == b"B":
            link.sql = link.prepared[words[1]]
        elif self.started and message[:1] == b"Q":
            link.sql = words[0]

    def sent(self):
        pass


class Answers(Messages):
    """The database's side: counts what is answered."""

    def take(self, data):
        self.buffer += data
        self.news = []
        while message := self.message(1):
            if message[:1] == b"K":
                self.link.backend = struct.unpack_from("!I", message, 5)[0]
            if message[:1] == b"Z":
                self.news.append(message)
        yield data

    def sent(self):
        if self.news:
            self.link.proxy.answered(self.link, len(self.news))


class Proxy:
    """Stands between programs and the PostgreSQL whose socket target() names."""

    def __init__(self, target):
        self.target = target
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="classclock-proxy."))
        self.folder.chmod(0o755)
        self.faults, self.links, self.away = {}, set(), frozenset()
        self.gated, self.changed = frozenset(), threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.folder / PORT))
        (self.folder / PORT).chmod(0o777)
        self.listener.listen(256)
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.close()
        self.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            pid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            server = socket.socket(socket.AF_UNIX)
            try:
                program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                server.connect(str(self.target()))
                link = Link(self, client, server, program)
                with self.changed:  # either gone() drops it or it is not let in
                    if program in self.away:
                        raise OSError
                    self.links.add(link)
            except OSError:
                client.close()
                server.close()
                continue
            link.start()

    def forget(self, link):
        with self.changed:
            self.links.discard(link)
            self.changed.notify_all()

    def of(self, program):
        with self.changed:
            return [link for link in self.links if program in (None, link.program)]

    def drop(self, program=None):
        """Ends the connections of a program, or of all."""
        for link in self.of(program):
            link.close()

    @contextlib.contextmanager
    def gone(self, *programs):
        """No database for these."""
        with self.changed:
            self.away |= set(programs)
        for program in programs:
            self.drop(program)
        try:
            yield
        finally:
            with self.changed:
                self.away -= set(programs)

    # ------------------------------------------------------------ the gate

    @contextlib.contextmanager
    def gate(self, programs):
        """Inside it each statement of the programs waits for release()."""
        self.gated = frozenset(programs)
        try:
            yield
        finally:
            with self.changed:  # nobody begins to wait who would not be released
                self.gated = frozenset()
            for link in self.of(None):
                link.released.set()

    def pass_gate(self, link, unit):
        with self.changed:
            waits = link.program in self.gated and not link.over.is_set()
            if waits:
                link.released.clear()
                link.held = unit
                self.changed.notify_all()
        if waits:
            link.released.wait()
            unit = link.held
        with self.changed:
            link.held = None
            link.asked += 1
            self.changed.notify_all()
        return unit

    def answered(self, link, n):
        with self.changed:
            link.answers += n
            self.changed.notify_all()

    def held(self, program):
        """The connections of a program on which a statement waits."""
        return [link for link in self.of(program) if link.held and not link.released.is_set()]

    def unanswered(self, program):
        """Those on which a statement is being carried out; the first answer is to the connecting."""
        return [link for link in self.of(program) if link.asked >= link.answers and link.asked and not link.held]
