# SPDX-License-Identifier: Apache-2.0
"""Where Saker differs from the reference on purpose: docs/DIFFERENCES.md, what has no other test."""
import struct

import scapfile
from tap import done, equal, file, run, saker


def durations_that_no_capture_records_are_null():
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
    one = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    fields = ('proc.exe_ino.ctime_duration_proc_start', 'proc.exe_ino.ctime_duration_pidns_start')
    for f in fields:
        equal(done(saker('print', file('one.scap', head + one), '--format', f'%proc.name %{f}')), b'init <NA>\n')
        equal(done(saker('print', file('one.scap', head + one), '--filter', f'{f} exists', '--count')), b'0\n')


run(globals())
