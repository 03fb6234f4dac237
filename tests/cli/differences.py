# SPDX-License-Identifier: Apache-2.0
"""Where Saker differs from the reference on purpose: docs/DIFFERENCES.md, what has no other test."""
import struct

import scapfile
from tap import done, equal, file, run, saker


def _events(*records):
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
    return file('made.scap', head + b''.join(map(scapfile.event, records)))


def _q(n):
    return struct.pack('<q', n)


def an_empty_buffer_prints_nothing():
    reads = [scapfile.record(1000 + i, 1, 7, [_q(len(data)), data, _q(3), struct.pack('<I', 80)])
             for i, data in enumerate((b'secret', b''))]
    equal(done(saker('print', _events(*reads), '--format', '<%evt.buffer>')), b'<secret>\n<>\n')


def a_filter_sees_what_its_event_has_made():
    path = _events(scapfile.record(1000, 1, 369, [_q(5), struct.pack('<I', 0)]))
    shown = done(saker('print', path, '--format', '%evt.type %evt.arg.fd'))
    equal(shown, b'bpf <b>\n')
    equal(done(saker('print', path, '--filter', 'evt.arg.fd = "<b>"', '--count')), b'1\n')


def conditions_see_the_bytes_that_were_there():
    one = scapfile.record(1000, 1, 307, [_q(3), _q(-100), b'/t/a\tb\0', struct.pack('<III', 1, 0, 0), struct.pack('<Q', 9)])
    path = _events(one)
    equal(done(saker('print', path, '--format', '%evt.type %fd.name')), 'openat /t/a\ufffdb\n'.encode())
    equal(done(saker('print', path, '--filter', 'fd.name endswith "a\tb" and evt.arg.name contains "\t"', '--count')), b'1\n')
    equal(done(saker('print', path, '--filter', 'fd.name contains "\ufffd"', '--count')), b'0\n')


def a_text_without_its_end_is_read_all_the_same():
    numbers = struct.pack('<III', 1, 0, 0), struct.pack('<Q', 9)
    records = [scapfile.record(1000 + i, 1, 307, [_q(3), _q(-100), name, *numbers]) for i, name in enumerate((b'/t/a', b'/t/b\0c\0'))]
    equal(done(saker('print', _events(*records), '--format', '%evt.arg.name')), b'/t/a\n/t/b\n')


def durations_that_no_capture_records_are_null():
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
    one = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    fields = ('proc.exe_ino.ctime_duration_proc_start', 'proc.exe_ino.ctime_duration_pidns_start')
    for f in fields:
        equal(done(saker('print', file('one.scap', head + one), '--format', f'%proc.name %{f}')), b'init <NA>\n')
        equal(done(saker('print', file('one.scap', head + one), '--filter', f'{f} exists', '--count')), b'0\n')


run(globals())
