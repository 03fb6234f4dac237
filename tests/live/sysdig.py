# SPDX-License-Identifier: Apache-2.0
"""Debian's sysdig (0.29.3, of 2022) reads what saker record writes, but for what it is too old to know.

What that is stands here and in docs/LIVE.md, "Other readers of recordings".
"""
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
import scapfile  # noqa: E402
from tap import PATIENCE, TMP, check, done, equal, file, run, saker, skip  # noqa: E402

# What it knows: kinds of descriptors in the list at the start, events, and system calls that have no event of their own.
LAST_FD_TYPE, LAST_EVENT, LAST_CALL = 16, 335, 328
FDS, GENERIC = 0x218, 1
WORK = '''
import os, socket, subprocess
for i in range(50):
    with open('told', 'w') as f:
        f.write('x' * i)
    os.rename('told', 'retold')
    os.unlink('retold')
a = socket.create_server(('127.0.0.1', 0))
b = socket.create_connection(a.getsockname())
c, _ = a.accept()
b.send(b'hello')
c.recv(5)
for i in range(5):
    subprocess.run(['/bin/echo', 'an', 'argument', str(i)])
'''
COMMON = '%evt.rawtime %evt.cpu %thread.tid %evt.type'


def _recording():
    """One for all tests, with a descriptor of a kind that is too new in it, whatever runs on this machine."""
    path = os.path.join(TMP, 'r.scap')
    if not shutil.which('sysdig'):
        skip('there is no sysdig')
    if os.geteuid() or not os.access('/sys/kernel/btf/vmlinux', os.R_OK):
        skip('watching takes root and BTF')
    if not os.path.exists(path):
        fd = os.memfd_create('too new')
        done(saker('record', path, '--no-runtimes', '--', sys.executable, '-c', WORK, cwd=TMP))
        os.close(fd)
    return path


def _sysdig(path, *args):
    return subprocess.run(['sysdig', '-r', path, *args], capture_output=True, timeout=120 * PATIENCE)


def _fds(block):
    """The list of a process' descriptors: its head, and its entries with their types."""
    at, entries = 16, []
    while at + 21 <= len(block) - 4:
        n, = struct.unpack_from('<I', block, at)
        entries.append((block[at + 20], block[at:at + n]))
        at += n
    return block[8:16], entries


def _event(block):
    """Its type, and which system call it is of when that has none of its own."""
    at = scapfile.RECORD_AT[struct.unpack_from('<I', block)[0]]
    kind, n_params = struct.unpack_from('<HI', block, at + 20)
    call = struct.unpack_from('<H', block, at + 26 + 2 * n_params)[0] if kind == GENERIC else 0
    return kind, call


def _without(path, fds=True, calls=True, events=False):
    """The same without what sysdig is too old for."""
    out = []
    for kind, block in scapfile.blocks(scapfile.read(path)):
        if kind == FDS and fds:
            head, entries = _fds(block)
            block = scapfile.block(FDS, head + b''.join(e for t, e in entries if t <= LAST_FD_TYPE))
        elif kind in scapfile.EVENTS:
            t, call = _event(block)
            if calls and call > LAST_CALL or events and t > LAST_EVENT:
                continue
        out.append(block)
    return file('less.scap', b''.join(out))


def it_refuses_a_list_with_descriptors_of_newer_kinds():
    path = _recording()
    kinds = {t for kind, b in scapfile.blocks(scapfile.read(path)) if kind == FDS for t, _ in _fds(b)[1]}
    newer = {t for t in kinds if t > LAST_FD_TYPE}
    check(newer, kinds)
    said = _sysdig(path).stderr.decode()
    check(any(f'wrong fd type {t}' in said for t in newer), newer, said)


def _own(path):
    """Threads of the recorded command, as the events tell them."""
    asks = 'evt.type = execve and evt.rawres = 0 and (proc.name = echo or proc.args contains retold)'
    return set(done(saker('print', path, '--filter', asks, '--format', '%thread.tid')).decode().split())


def _lines(output, tids):
    return [x for x in output.decode().splitlines() if x.split()[2] in tids]


def without_those_and_newer_calls_it_shows_all_events_that_it_knows():
    path = _recording()
    tids = _own(path)
    shown = _sysdig(_without(path), '-p', COMMON)
    equal(shown.returncode, 0, shown.stderr)
    got = _lines(shown.stdout, tids)
    want = _lines(done(saker('print', _without(path, events=True), '--format', COMMON)), tids)
    print(f'# {len(got)} events of {len(tids)} threads')
    equal(len(tids), 6)
    check(len(want) > 500, len(want))
    equal(len(got), len(want))
    for g, w in zip(got, want):
        equal(g, w)


def it_knows_their_processes_and_files():
    path = _without(_recording())
    for about, form in (('proc.name = echo and evt.type = execve', '%thread.tid %proc.name %proc.args %proc.pid %proc.ppid'),
                        ('evt.type = openat and evt.rawres >= 0 and fd.name contains told', '%thread.tid %fd.num %fd.name')):
        got = _sysdig(path, '-p', '*' + form, about)
        equal(got.returncode, 0, got.stderr)
        want = done(saker('print', path, '--filter', about, '--format', form))
        check(want, about)
        equal(got.stdout, want, about)


run(globals())
