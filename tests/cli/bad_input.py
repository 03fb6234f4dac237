# SPDX-License-Identifier: Apache-2.0
"""What a hostile or broken input may cost: a clear message, status 1, little time and memory."""
import gzip
import os
import random
import resource
import struct
import subprocess

import scapfile
from tap import SAKER, TMP, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
SANITIZED = os.environ.get('SAKER_SANITIZED') == '1'


def _rules(text):
    return file('rules.yaml', text)


def _rule(condition):
    return f'- rule: r\n  desc: d\n  output: x\n  priority: INFO\n  condition: >\n    {condition}\n'


def _refuses_rules(path, *texts):
    """Both commands that read rules say why, with status 1."""
    r = saker('check', path)
    equal(r.returncode, 1, r.stdout[:500], r.stderr[:500])
    said = r.stdout + r.stderr
    for text in texts:
        check(text.encode() in said, f'{text!r} is not in', said[:1000])
    check(said.strip() and len(said) < 100000, len(said))
    r = saker('replay', FILES, '--rules', path)
    equal((r.returncode, r.stdout), (1, b''), r.stderr[:500])


def _limited(*args, megabytes):
    """Run with so much address space: what is unbounded ends in an abort."""
    def limit():
        if not SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    return subprocess.run([SAKER, *args], capture_output=True, timeout=300, preexec_fn=limit)


def paths_that_are_no_captures():
    folder = TMP
    for command in (['print'], ['replay'], ['explain', '--event', '1']):
        fails(saker(command[0], '/nonexistent/x', *command[1:]), 1, '/nonexistent/x', 'No such file')
        fails(saker(command[0], folder, *command[1:]), 1, folder)
        fails(saker(command[0], file('empty'), *command[1:]), 1, 'empty')
        fails(saker(command[0], '-', *command[1:]), 1)


def unreadable_files_are_named():
    path = file('secret', 'x')
    os.chmod(path, 0)
    if os.geteuid() == 0:
        drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--inh-caps=-all']
        os.chmod(TMP, 0o755)
        r = subprocess.run([*drop, SAKER, 'print', path], capture_output=True)
    else:
        r = saker('print', path)
    fails(r, 1, 'secret')


def garbage_is_refused():
    random.seed(1)
    for size in (1, 3, 4, 7, 27, 28, 100, 5000, 1 << 20):
        fails(saker('print', file('garbage', random.randbytes(size))), 1, 'garbage')
    fails(saker('print', file('text', 'hello ' * 1000)), 1, 'text')
    fails(saker('print', file('half.gz', b'\x1f\x8b\x08' + random.randbytes(1000))), 1, 'half.gz')


def a_capture_cut_anywhere_gives_its_good_events_and_an_error():
    form = '%evt.num %evt.type %evt.args'
    front, events = scapfile.split(scapfile.read(FILES))
    for n in (100, 101, 150, 500):
        whole = b''.join(front) + b''.join(events[:n])
        want = done(saker('print', file('whole.scap', whole), '--format', form))
        check(want)
        for extra in (1, 4, 7, 8, 9, 20, len(events[n]) - 1):
            r = saker('print', file('cut.scap', whole + events[n][:extra]), '--format', form)
            fails(r, 1, 'cut.scap', str(len(whole)))
            equal(r.stdout, want, n, extra)
    for size in (10, 28, 100, len(front[0]) + 50, sum(map(len, front)) - 5):
        fails(saker('print', file('cut.scap', b''.join(front)[:size])), 1, 'cut.scap')


def a_cut_compressed_capture_too():
    with open(FILES, 'rb') as f:
        data = f.read()
    r = saker('print', file('cut.scap.gz', data[:len(data) // 2]))
    fails(r, 1, 'cut.scap.gz')
    check(r.stdout.count(b'\n') > 1000)
    check(done(saker('print', FILES)).startswith(r.stdout))
    data = bytearray(data)
    data[len(data) // 2] ^= 0xff
    fails(saker('print', file('flipped.scap.gz', bytes(data))), 1, 'flipped.scap.gz')


def the_error_names_offset_and_block():
    front, events = scapfile.split(scapfile.read(FILES))
    whole = b''.join(front) + b''.join(events[:10])
    bad = struct.pack('<II', 0x216, 0x7fffffff) + b'x' * 64
    fails(saker('print', file('bad.scap', whole + bad)), 1, 'bad.scap', str(len(whole)))


def records_that_lie_about_their_lengths_never_crash():
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
    good = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    liars = [
        struct.pack('<QQIHI', 1000, 1, 26, 5, 2),
        struct.pack('<QQIHI', 1000, 1, 0xffffffff, 5, 2) + b'\xff' * 20,
        struct.pack('<QQIHI', 1000, 1, 30, 5, 2) + struct.pack('<HH', 8, 60000),
        struct.pack('<QQIHI', 1000, 1, 30, 5, 0xffffffff) + struct.pack('<HH', 0, 0),
        struct.pack('<QQIHI', 1000, 1, 26, 5, 0),
        scapfile.record(1000, 1, 5, [b'', b'']),
        scapfile.record(1000, 1, 5, [b'x', b'y' * 3]),
        scapfile.record(1000, 1, 9999, []),
        scapfile.record(1000, 1, 293, [b''] * 28),
        scapfile.record(2**64 - 1, 2**64 - 1, 293, [b'\xff' * 3] * 28),
    ]
    for i, liar in enumerate(liars):
        r = saker('print', file('liar.scap', head + good + scapfile.event(liar) + good))
        check(r.returncode in (0, 1) and r.stdout, i, r.returncode, r.stderr)
        if r.returncode:
            check(b'liar.scap' in r.stderr, r.stderr)


def flipped_bytes_never_crash():
    random.seed(2)
    front, events = scapfile.split(scapfile.read(FILES))
    data = b''.join(front + events[:2000])
    for _ in range(20):
        bad = bytearray(data)
        for _ in range(30):
            bad[random.randrange(len(bad))] = random.randrange(256)
        r = saker('print', file('flipped.scap', bytes(bad)))
        check(r.returncode in (0, 1), r.returncode, r.stderr)


def a_gzip_bomb_costs_no_memory():
    bomb = gzip.compress(b'\0' * (1 << 28), 9)
    r = _limited('print', file('bomb.gz', bomb), '--count', megabytes=128)
    equal(r.returncode, 1, r.stderr)
    skipped = scapfile.section() + scapfile.machine()
    unknown = struct.pack('<II', 0x7777, 1 << 28) + b'\0' * ((1 << 28) - 8)
    r = _limited('print', file('bomb.gz', gzip.compress(skipped + unknown, 9)), '--count', megabytes=128)
    equal(r.returncode, 1, r.stderr)


def memory_does_not_grow_with_the_file():
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
    one = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    path = file('long.scap', head + one * 2000000)
    equal(_limited('print', path, '--count', megabytes=128).stdout, b'2000000\n')
    os.unlink(path)


def a_flood_of_processes_is_bounded():
    entries = [scapfile.procs([scapfile.proc(t, t, 1, b'p%d' % t, b'/bin/p%d' % t) for t in range(k, k + 1000)])
               for k in range(1, 400001, 1000)]
    one = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    path = file('flood.scap', scapfile.section() + scapfile.machine() + b''.join(entries) + one)
    equal(_limited('print', path, '--count', megabytes=1600).stdout, b'1\n')
    os.unlink(path)


def yaml_of_the_wrong_shape():
    for text in ('x', '[1, 2', '{a: b}', '- 3\n', '- []\n', '- rule\n', '- rule: [a]\n', '- list: x\n  items: {a: b}\n',
                 '- macro: m\n  condition: [a, b]\n', '- rule: r\n  desc: d\n  condition: {}\n  output: x\n  priority: 7\n',
                 '- rule: r\n  desc: d\n  condition: evt.num=1\n  output: x\n  priority: [INFO]\n', '%', '- \t- x', '\0',
                 '&a [*a]', '- *nope\n', '- required_engine_version: 999.0.0\n', '- !!binary "="\n- 1'):
        _refuses_rules(_rules(text))


def paths_that_are_no_rules():
    _refuses_rules('/nonexistent.yaml', '/nonexistent.yaml')
    _refuses_rules(TMP)
    random.seed(3)
    _refuses_rules(file('garbage.yaml', random.randbytes(10000)))


def aliases_that_explode():
    text = 'a: &a [x, x, x, x, x, x, x, x, x]\n'
    for a, b in zip('abcdefghijk', 'bcdefghijkl'):
        text += f'{b}: &{b} [' + ', '.join([f'*{a}'] * 9) + ']\n'
    path = _rules(text)
    r = _limited('check', path, megabytes=512)
    equal(r.returncode, 1, r.stderr[:300])
    text = '- &a [x, x, x, x, x, x, x, x, x]\n'
    for a, b in zip('abcdefghijk', 'bcdefghijkl'):
        text += f'- &{b} [' + ', '.join([f'*{a}'] * 9) + ']\n'
    r = _limited('check', _rules(text + '- list: l\n  items: *l\n'), megabytes=512)
    equal(r.returncode, 1, r.stderr[:300])


def yaml_nested_deep():
    for text in ('[' * 100000, '{a: ' * 50000, '- ' * 100000, ''.join(' ' * i + 'a:\n' for i in range(2000))):
        _refuses_rules(_rules(text))


def conditions_nested_deep():
    r = saker('check', _rules(_rule('not ' * 10000 + 'evt.num=1')))
    check(r.returncode in (0, 1), r.returncode, r.stderr)
    for condition in ('(' * 10000 + 'evt.num=1' + ')' * 10000, '(' * 1000000):
        _refuses_rules(_rules(_rule(condition)))
        if len(condition) < 100000:
            fails(saker('print', FILES, '--filter', condition), 1, 'filter:1:')


def macros_that_lead_to_themselves():
    _refuses_rules(_rules('- macro: a\n  condition: a\n' + _rule('a')))
    _refuses_rules(_rules('- macro: a\n  condition: b\n- macro: b\n  condition: a\n' + _rule('evt.num=1 and a')))


def macros_that_double():
    text = '- macro: m0\n  condition: evt.num = 1 or evt.num = 2\n'
    for i in range(1, 60):
        text += f'- macro: m{i}\n  condition: m{i-1} and m{i-1}\n'
    r = _limited('check', _rules(text + _rule('m59')), megabytes=1024)
    check(r.returncode in (0, 1), r.returncode, r.stderr[:300])


def large_rule_files_are_read():
    more = ' or '.join(f'fd.name contains "{"x" * 240}"' for _ in range(4))
    text = ''.join(_rule(f'evt.type = open and proc.name = name{i} and ({more})').replace('rule: r', f'rule: r{i}')
                   for i in range(10000))
    check(len(text) > 10 << 20)
    r = saker('check', _rules(text))
    equal(r.returncode, 0, r.stdout[-300:], r.stderr[-300:])


def a_list_of_a_million_items():
    items = ', '.join(f'item{i}' for i in range(1000000))
    path = _rules(f'- list: l\n  items: [{items}]\n' + _rule('evt.type = execve and proc.name in (l, cat)'))
    r = saker('replay', FILES, '--rules', path)
    equal(r.returncode, 0, r.stderr[-300:])


def every_operator_takes_a_long_list():
    """Twice the items may cost four times as much at most: the time limit is one that no quadratic search keeps."""
    for operator, text, n in (
            ('pmatch', '/a/i{}', 500000), ('pmatch', '/i{}/*', 200000), ('intersects', 'i{}', 500000),
            ('= anyof', 'i{}', 300000), ('!= allof', 'i{}', 300000), ('startswith anyof', 'i{}', 300000),
            ('endswith anyof', 'i{}', 300000), ('contains oneof', 'i{}', 300000), ('icontains anyof', 'i{}', 300000),
            ('glob anyof', 'i{}*', 300000), ('iglob allof', 'i{}*', 300000), ('regex anyof', 'i{}.x', 30000)):
        items = ', '.join("'" + text.format(i) + "'" for i in range(n))
        path = _rules(f'- list: l\n  items: [{items}]\n' + _rule(f'evt.type = execve and fd.name {operator} (l)'))
        r = _limited('check', path, megabytes=768)
        equal((r.returncode, r.stderr[-300:]), (0, b''), operator)


def warnings_without_number_cost_bounded_memory():
    same = ' or '.join(['proc.name=proc.name'] * 50000)
    regexes = ', '.join(f"'i{i}.*'" for i in range(100000))
    simple = ' or '.join(f"proc.name regex 'i{i}.*'" for i in range(2000))
    doubtful = ' or '.join(['proc.name="fd.name"'] * 50000)
    for text in (_rule(f'evt.type=open and ({same})'), _rule(f'evt.type=open and ({doubtful})'),
                 _rule(f'evt.type=open and proc.name regex anyof ({regexes})'),
                 f'- macro: m\n  condition: proc.name regex anyof ({regexes})\n' + _rule('evt.type=open and m'),
                 f'- macro: m\n  condition: {simple}\n' + _rule('evt.type=open and m')):
        r = _limited('check', _rules(text), megabytes=512)
        equal((r.returncode, r.stderr[-300:]), (0, b''))


def a_long_list_of_which_many_rules_warn_is_not_kept_for_each():
    items = ', '.join(f'item{i}' for i in range(20000))
    text = f'- list: l\n  items: [{items}]\n'
    for i in range(400):
        text += _rule(f'evt.type=open and proc.name in (l) and proc.name="fd.name" and evt.num={i}').replace(
            'rule: r', f'rule: r{i}')
    r = _limited('check', _rules(text), megabytes=96)
    equal((r.returncode, r.stderr[-300:]), (0, b''))


def invalid_utf8_in_rules():
    r = saker('check', file('latin.yaml', _rule('evt.type = open and proc.name = "\xff\xfe"').encode('latin1')))
    equal(r.returncode, 1)
    r = saker('print', FILES, '--filter', b'proc.name = "\xff\xfe"', '--count')
    equal(r.stdout, b'0\n')


def invalid_utf8_and_controls_in_events_stay_one_clean_line():
    head = scapfile.section() + scapfile.machine() + scapfile.procs(
        [scapfile.proc(1, 1, 0, b'a\nb\x1b[31m\xff\xc2\x9b31m\xe2\x80\xae', b'/x\ny')])
    one = scapfile.event(scapfile.record(1000, 1, 5, [struct.pack('<q', 0), struct.pack('<q', 3)]))
    path = file('names.scap', head + one)
    rules = _rules(_rule('evt.type = close').replace('output: x', 'output: by %proc.name %proc.exe'))
    text = done(saker('replay', path, '--rules', rules))
    equal((text.count(b'\n'), text.count(b'\x1b')), (1, 0), text)
    check(not any(c in text.decode() for c in '\x9b\u202e'), text)
    text.decode('utf-8')
    json = done(saker('replay', path, '--rules', rules, '--json'))
    json.decode('utf-8')
    equal(json.count(b'\n'), 1)
    check(not any(c in json.decode() for c in '\x9b\u202e'), json)
    done(saker('print', path, '--json', '--format', '%proc.name')).decode('utf-8')


run(globals())
