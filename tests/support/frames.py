"""AWS event stream frames, for fixtures: an event a line in, the body of `response.http` out.

    printf '%s\n' 'messageStart {"role":"assistant"}' '!throttlingException {"message":"…"}' | python3 frames.py

A line is the event's type, a space and its payload; a `!` before the type makes it an exception. The prelude is two
lengths and their CRC-32, a CRC-32 over everything ends the frame (smithy.io, "Amazon Event Stream Specification").
"""

import struct
import sys
import zlib


def checked(data):
    return data + struct.pack(">I", zlib.crc32(data))


def header(name, value):
    name, value = name.encode(), value.encode()
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", 7, len(value)) + value


def frame(kind, payload):
    exception = kind.startswith("!")
    named = ":exception-type" if exception else ":event-type"
    head = header(named, kind.lstrip("!"))
    head += header(":content-type", "application/json")
    head += header(":message-type", "exception" if exception else "event")
    payload = payload.encode()
    prelude = checked(struct.pack(">II", len(head) + len(payload) + 16, len(head)))
    return checked(prelude + head + payload)


if __name__ == "__main__":
    for line in sys.stdin:
        if line.strip():
            sys.stdout.buffer.write(frame(*line.rstrip("\n").split(" ", 1)))
