# SPDX-License-Identifier: Apache-2.0
"""Capture files taken apart and put together: blocks, events, whole machines that never were."""
import gzip
import struct

SECTION, MACHINE, PROCS, EVENT = 0x0A0D0D0A, 0x201, 0x215, 0x216
EVENTS = {0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x8010ABCD}
# Where an event block's record begins, behind the 8 bytes of block header: cpu, then flags.
RECORD_AT = {0x204: 10, 0x208: 14, 0x216: 10, 0x217: 14, 0x221: 10, 0x222: 14, 0x8010ABCD: 10}


def read(path):
    with open(path, 'rb') as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data


def blocks(data):
    """Yields (type, whole block)."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from('<II', data, at)
        yield kind, data[at:at + size]
        at += size


def block(kind, body):
    body += b'\0' * (-len(body) % 4)
    size = struct.pack('<I', len(body) + 12)
    return struct.pack('<I', kind) + size + body + size


def section():
    return block(SECTION, struct.pack('<IHHQ', 0x1A2B3C4D, 1, 2, 2**64 - 1))


def machine(cpus=2, hostname=b'test'):
    return block(MACHINE, struct.pack('<IQQ128sQQQQ', cpus, 1 << 30, 0, hostname, 0, 0, 0, 0))


def string(text):
    return struct.pack('<H', len(text)) + text


def proc(tid, pid, ptid, comm, exe, args=b'', uid=0):
    """A process list entry."""
    body = struct.pack('<QQQQQ', tid, pid, ptid, pid, pid) + string(comm) + string(exe) + string(exe) + string(args)
    body += string(b'/') + struct.pack('<QIII', 1024, 0, uid, uid) + struct.pack('<IIIQQ', 0, 0, 0, 0, 0)
    body += string(b'') + struct.pack('<qq', tid, pid) + string(b'cpu=/') + string(b'/')
    body += struct.pack('<QIIBQQQBQQQBBq', 0, 0, 0xFFFFFFFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, pid)
    return struct.pack('<I', len(body) + 4) + body


def procs(entries):
    return block(PROCS, b''.join(entries))


def record(ts, tid, code, params, n_params=None):
    """An event record; its lengths can be made to lie through params of the caller's own."""
    lengths = b''.join(struct.pack('<H', len(p)) for p in params)
    body = b''.join(params)
    n = len(params) if n_params is None else n_params
    return struct.pack('<QQIHI', ts, tid, 26 + len(lengths) + len(body), code, n) + lengths + body


def event(rec, cpu=0, kind=EVENT):
    return block(kind, struct.pack('<H', cpu) + rec)


def split(data):
    """(metadata blocks in front, event blocks): each as a list of blocks."""
    front, events = [], []
    for kind, b in blocks(data):
        (events if kind in EVENTS else front).append(b)
    return front, events


def shifted(b, ns):
    """The event block, so much later."""
    at = RECORD_AT[struct.unpack_from('<I', b)[0]]
    ts, = struct.unpack_from('<Q', b, at)
    return b[:at] + struct.pack('<Q', ts + ns) + b[at + 8:]


def repeated(data, times):
    """The same events again and again, time going on."""
    front, events = split(data)

    def ts(b):
        return struct.unpack_from('<Q', b, RECORD_AT[struct.unpack_from('<I', b)[0]])[0]

    span = max(map(ts, events)) - min(map(ts, events)) + 1000000
    out = list(front)
    for i in range(times):
        out += [shifted(b, i * span) for b in events] if i else events
    return b''.join(out)
