# SPDX-License-Identifier: Apache-2.0
"""Recording on alert: what is in the files, when they begin and end, and what limits them."""
import gzip
import json
import os
import re
import shutil

from tap import TMP, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULE = '''
- rule: Read
  desc: configuration
  condition: evt.type in (open, openat) and proc.name = cat and fd.name startswith /etc and evt.is_open_read = true
  output: >
    read %fd.name by %proc.cmdline in %proc.cwd of %proc.pcmdline, %proc.aname[2] %proc.exepath %user.name %thread.cap_effective
    %proc.env %fd.dev %fd.ino %proc.vpid %user.loginuid %proc.tty %proc.exe_ino %proc.fdopencount
  priority: WARNING
  {}
'''
RULES = RULE.format('capture: true\n  capture_duration: 10')
_N = 0


class _Recorded:
    """A replay that records; its files, and what they replay to."""

    def __init__(self, *options, rules=RULES, path=FILES, status=0):
        global _N
        _N += 1
        self.folder = f'{TMP}/captures{_N}'
        os.mkdir(self.folder)
        self.rules = file('rules.yaml', rules)
        args = ['capture.enabled=true', f'capture.path_prefix={self.folder}/on', 'append_output=[]', *options]
        self.run = saker('replay', path, '-r', self.rules, '-s', '-j', *[a for o in args for a in ('-o', o)])
        equal(self.run.returncode, status, self.run.stderr)
        self.alerts = [json.loads(x) for x in self.run.stdout.splitlines()]
        self.files = sorted(os.listdir(self.folder))

    def replay(self, name):
        out = done(saker('replay', f'{self.folder}/{name}', '-r', self.rules, '-j', '-o', 'append_output=[]'))
        return [json.loads(x) for x in out.splitlines()]

    def events(self, name, text='%evt.rawtime'):
        return done(saker('print', f'{self.folder}/{name}', '-p', text)).decode().splitlines()


def _ns(alert):
    return alert['output_fields']['evt.time']


def nothing_is_recorded_unless_asked_for():
    r = _Recorded('capture.enabled=false')
    check(r.alerts and not r.files)


def a_file_has_the_name_of_the_event_that_began_it():
    r = _Recorded()
    equal(r.files[0][:23], f'on_{_ns(r.alerts[0]):020}')
    check(all(re.fullmatch(r'on_\d{20}_\d{20}\.scap', f) for f in r.files), r.files)
    check(open(f'{r.folder}/{r.files[0]}', 'rb').read(2) == b'\x1f\x8b', 'not compressed')
    equal(os.stat(f'{r.folder}/{r.files[0]}').st_mode & 0o777, 0o600)


def files_replay_to_the_alerts_that_made_them():
    r = _Recorded()
    again = [a for f in r.files for a in r.replay(f)]
    equal(again, r.alerts)


def with_a_window_files_have_what_was_before_and_say_the_same_of_it():
    r = _Recorded('saker.capture.window=256K')
    for f, first in zip(r.files, (a for a in r.alerts)):
        again = r.replay(f)
        check(again and all(a in r.alerts for a in again), f)
        check(min(int(t) for t in r.events(f)) < int(f.split('_')[1]), 'nothing from before')
    equal({a['time'] for f in r.files for a in r.replay(f)}, {a['time'] for a in r.alerts})


def a_small_window_is_as_right_as_a_large_one():
    for size in ('4K', '10000', '1M'):
        r = _Recorded(f'saker.capture.window={size}')
        for f in r.files:
            check(all(a in r.alerts for a in r.replay(f)), size, f)


def a_recording_ends_when_its_time_is_over():
    r = _Recorded()
    for f in r.files:
        times = [int(t) for t in r.events(f)]
        own = [_ns(a) for a in r.replay(f)]
        check(times[-1] <= own[-1] + 10_000_000, f)
        check(times[0] == own[0], f)


def alerts_meanwhile_make_it_longer():
    r = _Recorded(rules=RULE.format('capture: true'))
    equal(len(r.files), 1)
    equal(len(r.replay(r.files[0])), len(r.alerts))
    short = _Recorded('capture.default_duration=100', rules=RULE.format('capture: true'))
    check(1 < len(short.files) < len(short.alerts), short.files)


def only_rules_that_want_it_are_recorded_or_all_of_them():
    check(not _Recorded(rules=RULE.format('tags: [a]')).files)
    check(_Recorded('capture.mode=all_rules', rules=RULE.format('tags: [a]')).files)


def a_longest_file_ends_the_recording_and_is_told():
    r = _Recorded('capture.mode=all_rules', 'capture.max_file_size_mb=1', 'capture.default_duration=86400000',
                  rules=RULE.format('tags: [a]'), path=_noise())
    full = [a for a in r.alerts if a['source'] == 'internal']
    check(full, 'not told')
    equal(full[0]['rule'], 'Falco internal: capture size limit reached')
    equal(full[0]['priority'], 'Informational')
    equal(full[0]['output_fields']['max_file_size_mb'], 1)
    check(full[0]['output_fields']['written_bytes'] >= 1 << 20)
    size = os.stat(f'{r.folder}/{r.files[0]}').st_size
    check(1 << 20 <= size < 4 << 20, size)
    check(r.replay(r.files[0]), 'it does not replay')


def _noise():
    """A capture whose events do not compress: one that is long, many times."""
    import struct
    path = f'{TMP}/noise.scap'
    if os.path.exists(path):
        return path
    data = gzip.open(FILES).read()
    at = blocks_end = 0
    while at < len(data):
        kind, n = struct.unpack_from('<II', data, at)
        if kind in (0x216, 0x217):
            break
        at += n
    blocks_end = at
    opens = []
    while at < len(data):
        kind, n = struct.unpack_from('<II', data, at)
        opens.append(data[at:at + n])
        at += n
    with open(path, 'wb') as out:
        out.write(data)
        ts, = struct.unpack_from('<Q', opens[-1], 10)
        for i in range(4000):  # writes of random bytes
            body = os.urandom(1000)
            params = [struct.pack('<q', len(body)), body, struct.pack('<q', 1), struct.pack('<I', len(body))]
            rec = struct.pack('<QQIHI', ts + i * 1000, 1, 26 + 8 + sum(map(len, params)), 7, 4) + \
                struct.pack('<4H', *map(len, params)) + b''.join(params)
            n = 8 + 2 + len(rec)
            pad = -n % 4
            out.write(struct.pack('<IIH', 0x216, n + pad + 4, 0) + rec + bytes(pad) + struct.pack('<I', n + pad + 4))
    check(blocks_end)
    return path


def there_are_no_more_files_and_bytes_than_allowed():
    r = _Recorded('saker.capture.max_files=2')
    equal(len(r.files), 2)
    check(b'no new capture: there are 2 files' in r.run.stderr, r.run.stderr)
    for f in r.files:
        check(r.replay(f))
    folder = f'{TMP}/full'
    os.mkdir(folder)
    with open(f'{folder}/on_{1:020}_{1:020}.scap', 'wb') as f:
        f.truncate(2 << 20)
    got = saker('replay', FILES, '-r', r.rules, '-o', 'capture.enabled=true', '-o', f'capture.path_prefix={folder}/on',
                '-o', 'saker.capture.max_total_mb=1')
    fails(got, 0, 'no new capture: the files', '2097152 bytes')
    equal(len(os.listdir(folder)), 1)


def a_folder_that_is_not_there_is_told_and_costs_no_alert():
    r = file('rules.yaml', RULES)
    want = done(saker('replay', FILES, '-r', r))
    got = saker('replay', FILES, '-r', r, '-o', 'capture.enabled=true', '-o', 'capture.path_prefix=/nowhere/at/all')
    fails(got, 1, '/nowhere/at/all_', 'No such file or directory')
    equal(got.stdout, want)


def a_link_is_not_followed():
    r = _Recorded()
    target, folder = file('target', b'mine'), f'{TMP}/links'
    os.mkdir(folder)
    os.symlink(target, f'{folder}/{r.files[0]}')
    got = saker('replay', FILES, '-r', r.rules, '-o', 'capture.enabled=true', '-o', f'capture.path_prefix={folder}/on')
    fails(got, 1, 'File exists')
    equal(open(target, 'rb').read(), b'mine')


def containers_are_in_the_file():
    path = capture('containers.scap.gz')
    rules = RULE.format('capture: true\n  capture_duration: 10').replace(
        'proc.name = cat and fd.name startswith /etc and evt.is_open_read = true', 'container.id != host').replace(
        '%proc.env', '%container.name %container.image.repository')
    r = _Recorded(rules=rules, path=path)
    check(r.alerts and r.files)
    again = [a for f in r.files for a in r.replay(f)]
    equal(again, r.alerts)
    w = _Recorded('saker.capture.window=64K', rules=rules, path=path)
    check(all(a in r.alerts for f in w.files for a in w.replay(f)))


def secrets_are_not_in_files():
    pattern = 'saker.redaction.patterns=[etc.\\S+]'
    r = _Recorded(pattern, 'saker.capture.window=1M')
    check(r.alerts and all('/etc/passwd' not in json.dumps(a) for a in r.alerts), r.alerts[-1])
    for f in r.files:
        for args in r.events(f, '%proc.cmdline %proc.env'):
            check('etc/' not in args, args)
    shutil.rmtree(r.folder)


run(globals())
