# SPDX-License-Identifier: Apache-2.0
import gzip
import os

import scapfile
from tap import TMP, capture, check, done, equal, fails, file, run, saker

CAPTURES = ['files.scap.gz', 'processes.scap.gz', 'network.scap.gz', 'syscalls.scap']


def _path(name):
    return os.path.join(TMP, name)


def without_a_filter_the_copy_is_the_capture():
    for name in CAPTURES:
        out = _path('copy.scap')
        equal(done(saker('print', capture(name), '--write', out)), b'')
        equal(scapfile.read(out) == scapfile.read(capture(name)), True, name)


def an_old_capture_is_written_in_todays_form_and_reads_back_the_same():
    out = _path('new.scap')
    old = capture('enter-era.scap.gz')
    done(saker('print', old, '--write', out))
    for form in ('%evt.num %evt.rawtime %evt.type %evt.args %fd.name %proc.cmdline', '%evt.cpu %evt.dir %evt.latency'):
        equal(done(saker('print', out, '--format', form)) == done(saker('print', old, '--format', form)), True, form)
    again = _path('again.scap')
    done(saker('print', out, '--write', again))
    equal(scapfile.read(again) == scapfile.read(out), True)


def compressed_it_is_a_gzip_file_that_reads_the_same():
    out = _path('copy.scap.gz')
    done(saker('print', capture('files.scap.gz'), '--write', out, '--compress'))
    with open(out, 'rb') as f:
        data = f.read()
    equal(gzip.decompress(data) == scapfile.read(capture('files.scap.gz')), True)
    check(len(data) < len(gzip.decompress(data)) / 2)
    equal(done(saker('print', out)), done(saker('print', capture('files.scap.gz'))))


def with_a_filter_kept_blocks_and_metadata_are_unchanged():
    for name in CAPTURES:
        out = _path('some.scap')
        want = int(done(saker('print', capture(name), '--filter', 'evt.type in (openat, execve)', '--count')))
        done(saker('print', capture(name), '--filter', 'evt.type in (openat, execve)', '--write', out))
        front, events = scapfile.split(scapfile.read(capture(name)))
        some_front, some = scapfile.split(scapfile.read(out))
        equal(some_front == front, True, name)
        check(0 < len(some) < len(events) and len(some) >= want, name, len(some), want)
        order = iter(events)
        check(all(b in order for b in some), name, 'a block that is not in the source, or out of order')
        equal(int(done(saker('print', out, '--filter', 'evt.type in (openat, execve)', '--count'))), want, name)


def max_ends_the_copy():
    out = _path('few.scap')
    done(saker('print', capture('files.scap.gz'), '--write', out, '--max', '10'))
    equal(done(saker('print', out, '--count')), b'10\n')


def events_are_shown_as_well_when_asked_for():
    out = _path('shown.scap')
    shown = done(saker('print', capture('files.scap.gz'), '--write', out, '--max', '2', '--format', '%evt.num'))
    equal(shown, done(saker('print', capture('files.scap.gz'), '--max', '2', '--format', '%evt.num')))
    equal(done(saker('print', capture('files.scap.gz'), '--write', out, '--count')),
          done(saker('print', out, '--count')))


def standard_output_can_be_the_copy():
    out = done(saker('print', capture('files.scap.gz'), '--write', '-'))
    equal(out == scapfile.read(capture('files.scap.gz')), True)
    fails(saker('print', capture('files.scap.gz'), '--write', '-', '--count'), 2, 'standard output')


def the_input_is_never_overwritten():
    data = open(capture('files.scap.gz'), 'rb').read()
    own = file('own.scap', data)
    os.symlink(own, _path('link.scap'))
    os.link(own, _path('hard.scap'))
    for other in (own, _path('link.scap'), _path('hard.scap')):
        fails(saker('print', own, '--write', other), 1, 'being read')
    with open(own, 'rb') as f:
        fails(saker('print', '-', '--write', own, stdin=f), 1, 'being read')
    equal(open(own, 'rb').read() == data, True)


def what_cannot_be_written_is_reported():
    fails(saker('print', capture('files.scap.gz'), '--write', '/nonexistent/x'), 1, '/nonexistent/x', 'No such file')
    fails(saker('print', capture('files.scap.gz'), '--write', '/dev/full'), 1, '/dev/full', 'No space left')
    fails(saker('print', capture('files.scap.gz'), '--compress'), 2, '--write')


def a_wrong_filter_leaves_an_existing_file_alone():
    other = file('precious', 'precious')
    fails(saker('print', capture('files.scap.gz'), '--write', other, '--filter', 'nonsense='), 1)
    equal(open(other).read(), 'precious')


run(globals())
