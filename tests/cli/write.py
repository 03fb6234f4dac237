# SPDX-License-Identifier: Apache-2.0
import gzip
import os
import struct

import scapfile
from tap import TMP, capture, check, done, equal, fails, file, run, saker

CAPTURES = ['containers.scap.gz', 'enter-era.scap.gz', 'files.scap.gz', 'network.scap.gz', 'processes.scap.gz',
            'syscalls.scap']
FILTERS = ['evt.type in (openat, execve)', 'evt.type in (read, write, close)', 'evt.type in (connect, accept, accept4)',
           'evt.type in (clone, clone3, procexit) or evt.num <= 20', 'proc.name = bash or fd.num = 3']
# What a record itself says, whatever the reader knows of the machine.
BARE = ('%evt.rawtime %evt.cpu %evt.type %evt.dir %thread.tid %evt.rawarg.res %evt.rawarg.fd %evt.rawarg.size '
        '%evt.rawarg.name %evt.buffer')
FULL = '%evt.rawtime %evt.type %evt.args %fd.name %proc.cmdline %proc.pname %proc.cwd %user.name %container.id %group.name'

EVENTS = {'close': 4, 'read': 6, 'execve': 292, 'openat': 306, 'execveat': 330, 'rename': 174, 'unlink': 300, 'asyncevent': 402}  # enter halves; one more is the exit
ALERTS = '''
- rule: one
  desc: d
  condition: %s
  output: "%%evt.time %%proc.cmdline %%proc.pname %%proc.aname[2] %%fd.name %%user.name %%container.id %%evt.args"
  priority: INFO
- rule: two
  desc: d
  condition: (%s) and (proc.pname startswith ba or fd.name startswith /etc)
  output: "%%evt.time %%proc.exepath %%fd.name"
  priority: INFO
'''


def _path(name):
    return os.path.join(TMP, name)


def without_a_filter_the_copy_is_the_capture():
    for name in CAPTURES:
        out = _path('copy.scap')
        equal(done(saker('print', capture(name), '--write', out)), b'')
        equal(scapfile.read(out) == scapfile.read(capture(name)), True, name)


def compressed_it_is_a_gzip_file_that_reads_the_same():
    out = _path('copy.scap.gz')
    done(saker('print', capture('files.scap.gz'), '--write', out, '--compress'))
    with open(out, 'rb') as f:
        data = f.read()
    equal(gzip.decompress(data) == scapfile.read(capture('files.scap.gz')), True)
    check(len(data) < len(gzip.decompress(data)) / 2)
    equal(done(saker('print', out)), done(saker('print', capture('files.scap.gz'))))


def _kind_and_tid(block):
    at = scapfile.RECORD_AT[struct.unpack_from('<I', block)[0]]
    return struct.unpack_from('<H', block, at + 20)[0], struct.unpack_from('<Q', block, at + 8)[0]


def _is_enter_of(block, exit):
    (kind, tid), (next_kind, next_tid) = _kind_and_tid(block), _kind_and_tid(exit)
    execs = EVENTS['execveat'], EVENTS['execve'] + 1  # a call that succeeds ends as the other
    return tid == next_tid and kind % 2 == 0 and (next_kind == kind + 1 or (kind, next_kind) == execs)


def _check_some(some, events, name):
    """Blocks of the source, each once and in order; an enter half may have moved to right before its exit."""
    place = {b: i for i, b in enumerate(events)}
    check(all(b in place for b in some), name, 'a block that is not in the source')
    equal(len(set(some)), len(some), name)
    last = -1
    for b, following in zip(some, some[1:] + [b'']):
        if following and _is_enter_of(b, following):
            check(place[b] < place[following], name)
            continue
        check(place[b] > last, name, 'out of order')
        last = place[b]


def with_a_filter_kept_blocks_and_metadata_are_unchanged():
    for name in CAPTURES:
        front, events = scapfile.split(scapfile.read(capture(name)))
        for text in FILTERS:
            out = _path('some.scap')
            want = done(saker('print', capture(name), '--filter', text, '--format', BARE))
            done(saker('print', capture(name), '--filter', text, '--write', out))
            some_front, some = scapfile.split(scapfile.read(out))
            equal(some_front == front, True, name)
            check(0 < len(some) < len(events), name, text)
            _check_some(some, events, name)
            equal(done(saker('print', out, '--format', BARE)) == want, True, name, text)


def an_enter_half_goes_with_its_exit_and_only_with_it():
    """Of old captures, whose exits say half of it; of today's, where a program may change its memory in between."""
    fd, size, path = struct.pack('<q', 3), struct.pack('<I', 9), b'/etc/first\0'
    today = [struct.pack('<q', -100), path, bytes(4), bytes(4)]
    late = [struct.pack('<q', 4), today[0], b'/etc/later\0', bytes(4), bytes(4), bytes(4), bytes(8)]
    records = [(EVENTS['openat'], 10, today), (EVENTS['read'], 11, [fd, size]), (EVENTS['read'] + 1, 11, [fd, b'ab']),
               (EVENTS['openat'] + 1, 10, late), (EVENTS['read'], 11, [fd, size]),
               (EVENTS['close'] + 1, 11, [fd, fd])]
    blocks = [scapfile.event(scapfile.record(1000 + i, tid, kind, params))
              for i, (kind, tid, params) in enumerate(records)]
    front = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(t, t, 1, b'x', b'/x')
                                                                      for t in (10, 11)])
    source = file('halves.scap', front + b''.join(blocks))
    out = _path('halves-copy.scap')
    for text, want in [('evt.type = openat', [0, 3]), ('evt.type = read', [1, 2]), ('evt.type = close', [5]),
                       ('evt.type != close', [1, 2, 0, 3])]:
        done(saker('print', source, '--filter', text, '--write', out))
        equal(scapfile.read(out), front + b''.join(blocks[i] for i in want), text)
        form = '%evt.rawtime %evt.args %fd.name'
        equal(done(saker('print', out, '--format', form)),
              done(saker('print', source, '--filter', text, '--format', form)), text)
    check(b'/etc/first' in done(saker('print', out)))
    done(saker('print', source, '--write', out))
    equal(scapfile.read(out), front + b''.join(blocks))


def _large(rec_ts, tid, kind, params):
    """A record whose lengths have 32 bits, as those of asyncevents."""
    lengths, body = b''.join(struct.pack('<I', len(p)) for p in params), b''.join(params)
    head = struct.pack('<QQIHI', rec_ts, tid, 26 + len(lengths) + len(body), kind, len(params))
    return scapfile.event(head + lengths + body, kind=0x221)


def _place(ts, tid, fd, path, real, ino=0, kind=0):
    head = struct.pack('<qQIIII', fd, ino, kind, 0x801, 0xef53, 1)
    return _large(ts, tid, EVENTS['asyncevent'], [bytes(4), b'saker.place\0', head + path + b'\0' + real + b'\0'])


def notes_of_where_files_are_go_with_their_events_and_only_with_them():
    ok, unlink, rename = bytes(8), EVENTS['unlink'] + 1, EVENTS['rename'] + 1
    records = [
        _large(1, 2**64 - 1, EVENTS['asyncevent'], [bytes(4), b'saker.mounts\0', b'21 1 8:1 / / rw - ext4 /dev/a rw\n']),
        _place(2, 10, -2, b'/a', b'/up/a', kind=unlink),
        _place(3, 11, -3, b'/b', b'/up/b', kind=rename),
        _place(4, 11, -4, b'/c', b'/up/c', kind=rename),
        scapfile.event(scapfile.record(5, 10, unlink, [ok, b'/a\0'])),
        scapfile.event(scapfile.record(6, 11, rename, [ok, b'/b\0', b'/c\0'])),
        _place(7, 10, -2, b'/other', b'/up/other', kind=unlink),
        scapfile.event(scapfile.record(8, 10, unlink, [ok, b'/a\0'])),  # the event of the note was lost
        _place(9, 10, -2, b'/a', b'/up/a', kind=unlink),
        scapfile.event(scapfile.record(10, 10, rename, [ok, b'/b\0', b'/c\0'])),
        scapfile.event(scapfile.record(11, 10, unlink, [ok, b'/a\0'])),
    ]
    front = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(t, t, 1, b'x', b'/x')
                                                                      for t in (10, 11)])
    source, out = file('places.scap', front + b''.join(records)), _path('places-copy.scap')
    form = '%evt.rawtime %fs.path.host %fs.path.host.source %fs.path.host.target'
    equal(done(saker('print', source, '--format', form)).decode().splitlines(),
          ['5 /up/a <NA> <NA>', '6 <NA> /up/b /up/c', '8 <NA> <NA> <NA>', '10 <NA> <NA> <NA>', '11 <NA> <NA> <NA>'])
    for text, want in [('evt.type = unlink', [0, 1, 4, 6, 7, 10]), ('evt.type = rename', [0, 2, 3, 5, 8, 9]),
                       ('evt.type = rename and thread.tid = 11', [0, 2, 3, 5]), ('thread.tid = 12', [0])]:
        done(saker('print', source, '--filter', text, '--write', out))
        equal(scapfile.read(out) == front + b''.join(records[i] for i in want), True, text)
        equal(done(saker('print', out, '--format', form)),
              done(saker('print', source, '--filter', text, '--format', form)), text)
    done(saker('print', source, '--write', out))
    equal(scapfile.read(out), front + b''.join(records))


def what_gives_no_event_is_kept_without_a_filter_only():
    flagged = struct.pack('<HI', 0, 2) + scapfile.record(7, 10, EVENTS['close'] + 1, [bytes(8), bytes(8)]) + b'comment'
    unknown = scapfile.event(scapfile.record(8, 10, 1000, []))
    data = scapfile.section() + scapfile.machine() + scapfile.block(0x999, b'new') + scapfile.block(0x217, flagged)
    source = file('odd.scap', data + unknown)
    out = _path('odd-copy.scap')
    done(saker('print', source, '--write', out))
    equal(scapfile.read(out), data + unknown)
    done(saker('print', source, '--write', out, '--filter', 'evt.type = close'))
    equal(scapfile.read(out), data)


def kept_state_gives_kept_events_their_names():
    for name in CAPTURES:
        for text in FILTERS:
            out = _path('state.scap')
            done(saker('print', capture(name), '--filter', text, '--write', out, '--keep-state'))
            want = done(saker('print', capture(name), '--filter', text, '--format', FULL))
            equal(done(saker('print', out, '--format', FULL)) == want, True, name, text)


def kept_state_gives_the_same_alerts():
    n_alerts = 0
    for name in CAPTURES:
        for text in FILTERS:
            text = text.replace(' or evt.num <= 20', '')  # numbers are a copy's own
            rules = file('rules.yaml', ALERTS % (text, text))
            out = _path('state.scap')
            done(saker('print', capture(name), '--filter', text, '--write', out, '--keep-state'))
            want = done(saker('replay', capture(name), '--rules', rules, '--json', '--all-matches'))
            n_alerts += want.count(b'"rule":"two"')
            equal(done(saker('replay', out, '--rules', rules, '--json', '--all-matches')) == want, True, name, text)
    check(n_alerts > 100, n_alerts)


def what_is_kept_for_the_state_is_marked_and_else_unchanged():
    """In the newest form of block that its own form has: a flag behind the processor's number."""
    marked = {0x216: 0x217, 0x221: 0x222, 0x204: 0x208}
    for name in CAPTURES:
        front, events = scapfile.split(scapfile.read(capture(name)))
        out = _path('state.scap')
        done(saker('print', capture(name), '--filter', 'evt.type = execve', '--write', out, '--keep-state'))
        some_front, some = scapfile.split(scapfile.read(out))
        equal(some_front == front, True, name)
        unmarked = set(events)
        source = set(events)
        for b in events:
            kind, = struct.unpack_from('<I', b)
            if kind in marked:
                size = struct.pack('<I', len(b) + 4)
                source.add(struct.pack('<I', marked[kind]) + size + b[8:10] + b'\1\0\0\0' + b[10:-4] + size)
        check(all(b in source for b in some), name)
        check(sum(b not in unmarked for b in some) > 100, name, 'few are marked')


def a_copy_without_an_event_is_warned_of():
    out = _path('none.scap')
    source = file('one.scap', scapfile.section() + scapfile.machine() + scapfile.event(
        scapfile.record(1, 10, EVENTS['close'] + 1, [bytes(8), bytes(8)])))
    r = saker('print', source, '--filter', 'evt.type = open', '--write', out)
    equal(done(r), b'')
    check(out.encode() in r.stderr and b'no event was kept' in r.stderr, r.stderr)
    equal(scapfile.read(out), scapfile.section() + scapfile.machine())
    r = saker('print', source, '--filter', 'evt.type = close', '--write', out)
    equal((done(r), r.stderr), (b'', b''))


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
    for option in ('--compress', '--keep-state'):
        fails(saker('print', capture('files.scap.gz'), option), 2, option, '--write')


def a_wrong_filter_leaves_an_existing_file_alone():
    other = file('precious', 'precious')
    fails(saker('print', capture('files.scap.gz'), '--write', other, '--filter', 'nonsense='), 1)
    equal(open(other).read(), 'precious')


run(globals())
