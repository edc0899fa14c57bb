"""What nginx writes to a program and reads from it, byte by byte."""

import struct

PARAMS, STDIN, STDOUT, END_REQUEST = 4, 5, 6, 3


def record(kind, content=b""):
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def length(text):
    return struct.pack("!B" if len(text) < 128 else "!I", len(text) | (0 if len(text) < 128 else 1 << 31))


def request_of(body=b"", keep=True, **params):
    """A request, whose connection stays unless the peer says that it shall not."""
    pairs = [(name.encode(), value.encode()) for name, value in params.items()]
    named = b"".join(length(name) + length(value) + name + value for name, value in pairs)
    begin = record(1, struct.pack("!HB5x", 1, keep))
    return begin + record(PARAMS, named) + record(PARAMS) + (record(STDIN, body) if body else b"") + record(STDIN)


def answer_of(peer):
    """What a program says until its answer ends."""
    said, stream = b"", peer.makefile("rb")
    while head := stream.read(8):
        _, kind, _, size, padding, _ = struct.unpack("!BBHHBB", head)
        content = stream.read(size + padding)[:size]
        if kind == STDOUT:
            said += content
        if kind == END_REQUEST:
            break
    return said
