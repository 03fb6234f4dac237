# SPDX-License-Identifier: Apache-2.0
import fcntl
import gzip
import json
import os
import socket
import struct
import subprocess
import termios
import time

import scapfile
from tap import SAKER, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
SANITIZED = os.environ.get('SAKER_SANITIZED') == '1'  # freed memory is kept back for a while


def an_event_is_a_line_of_its_number_time_cpu_process_and_arguments():
    lines = done(saker('print', FILES, '--max', '5')).decode().splitlines()
    equal(len(lines), 5)
    for line in lines:
        words = line.split(' ')
        equal(int(words[0]), int(lines[0].split(' ')[0]) + lines.index(line))
        check(words[1].count(':') == 2 and len(words[1]) == 18, line)


def short_names_of_formats_put_the_container_behind_the_usual():
    def lines(*args):
        return done(saker('print', capture('containers.scap.gz'), '--filter', 'container.id != host', '-n', '20', *args)).decode().splitlines()
    usual = lines()
    for given, form in (('-pc', 'container=%container.name (id=%container.id)'), ('-pcontainer', '-pc'), ('-pkubernetes', '-pk'),
                        ('-pk', 'k8s.ns=%k8s.ns.name k8s.pod=%k8s.pod.name container=%container.id')):
        want = lines(form) if form[0] == '-' else [f'{a} {b}' for a, b in zip(usual, lines('-p', form))]
        equal(lines(given), want)


def names_of_hosts_are_compared_by_their_addresses():
    """localhost is what /etc/hosts says: 127.0.0.1, and on some machines ::1 as well."""
    network = capture('network.scap.gz')
    home = '(' + ', '.join({a[4][0] for a in socket.getaddrinfo('localhost', None)}) + ')'

    def count(condition):
        return int(done(saker('print', network, '--count', '--filter', condition)))
    for end in ('cip', 'sip', 'lip', 'rip'):
        there = count(f'fd.{end} in {home}')
        check(there, end)
        equal(count(f'fd.{end}.name = localhost'), there)
        equal(count(f'fd.{end}.name in (nowhere.invalid, localhost)'), there)
        equal(count(f'fd.{end}.name != localhost'), count(f'fd.{end} exists') - there)
        equal(count(f'not fd.{end}.name = localhost'), count('evt.num > 0') - there)


def an_address_is_shown_by_a_name_of_the_condition():
    form = ('--format', '%fd.sip.name %fd.sip', '--max', '1')
    network = capture('network.scap.gz')
    equal(done(saker('print', network, *form, '--filter', 'fd.sip.name = localhost and fd.sip = 127.0.0.1')),
          b'localhost 127.0.0.1\n')
    equal(done(saker('print', network, *form, '--filter', 'fd.sip = 127.0.0.1')), b'<NA> 127.0.0.1\n')


def a_name_without_an_address_is_no_reason_to_wait_for_long():
    network = capture('network.scap.gz')
    equal(done(saker('print', network, '--count', '--filter', 'fd.sip.name = nowhere.invalid')), b'0\n')


def names_of_hosts_have_a_limit():
    names = ', '.join(f'h{i}.invalid' for i in range(1025))
    p = saker('print', capture('network.scap.gz'), '--filter', f'fd.sip.name in ({names})')
    fails(p, 1, 'more than 1024 names of hosts')


def captures_one_after_another_are_each_begun_anew():
    """Relative times count from each one's first event, and what describes a machine is no event in any."""
    paths = [capture('files.scap.gz'), capture('syscalls.scap')]
    merged = file('merged.scap', b''.join(scapfile.read(p) for p in paths))
    times = [done(saker('print', p, '--format', '%evt.reltime %evt.type')) for p in paths]
    equal(done(saker('print', merged, '--format', '%evt.reltime %evt.type')), b''.join(times))


def a_format_prints_what_it_says():
    equal(done(saker('print', FILES, '--max', '2', '--format', '<%evt.type|%evt.is_async>')),
          b'<read|false>\n<close|false>\n')
    equal(done(saker('print', FILES, '--max', '1', '--format', '*%fd.cip')), b'<NA>\n')


def a_wrong_format_is_the_inputs_fault():
    run = saker('print', FILES, '--format', 'x %proc.nosuch y')
    fails(run, 1, 'proc.nosuch', 'format:1:')
    check(b'\nx %proc.nosuch y\n  ^\n' in run.stderr, run.stderr)
    equal(run.stdout, b'')


def a_filter_keeps_what_matches():
    out = done(saker('print', FILES, '--filter', 'evt.type=execve', '--format', '%evt.type'))
    equal(set(out.split()), {b'execve'})
    equal(done(saker('print', FILES, '--filter', 'evt.type=execve', '--count')), b'%d\n' % len(out.split()))


def a_wrong_filter_shows_line_column_and_place():
    r = saker('print', FILES, '--filter', 'evt.type = execve and\n  proc.nosuch = 3')
    fails(r, 1, 'filter:2:3:', 'proc.nosuch')
    check(b'\n  proc.nosuch = 3\n  ^\n' in r.stderr, r.stderr)
    fails(saker('print', FILES, '--filter', 'evt.type = '), 1, 'filter:1:')
    fails(saker('print', FILES, '--filter', 'spawned_process and evt.num=1'), 1, 'filter:1:', 'spawned_process')
    fails(saker('print', FILES, '--filter', 'evt.num = abc'), 1, 'filter:1:')
    fails(saker('print', FILES, '--filter', ''), 1, 'filter:1:')


def an_unknown_field_is_told_with_what_may_have_been_meant():
    meant = "did you mean 'proc.cmdline'?"
    fails(saker('print', FILES, '--filter', 'proc.cmdlien = x'), 1, 'filter:1:1: ', meant)
    fails(saker('print', FILES, '--filter', 'evt.num = 1 and toupper(proc.cmdlin) = x'), 1, meant)
    fails(saker('print', FILES, '--format', 'a %proc.cmdlien b'), 1, 'format:1:3: ', meant, "(at '%proc.cmdlien')")
    r = saker('print', FILES, '--filter', 'zzzzzzzz.zzzzzzzz = x')
    check(b'did you mean' not in r.stderr, r.stderr)


def a_filter_may_use_macros_and_lists_of_rule_files():
    lists = file('lists.yaml', '- list: openers\n  items: [openat, open]\n')
    macros = file('macros.yaml', '- macro: opens\n  condition: (evt.type in (openers))\n'
                  '- macro: wrong\n  condition: (proc.nam = x)\n')
    want = done(saker('print', FILES, '--filter', 'evt.type in (openat, open) and fd.num > 3'))
    equal(done(saker('print', FILES, '--rules', lists, '--rules', macros, '--filter', 'opens and fd.num > 3')), want)
    check(int(done(saker('print', FILES, '--count', '--filter', 'evt.type in (openers)', '--rules', lists))) > 0)
    fails(saker('print', FILES, '--filter', 'evt.num = 1 and\n nosuch', '--rules', macros), 1, 'filter:2:2: ', 'nosuch')
    fails(saker('print', FILES, '--filter', 'evt.num = 1 and ', '--rules', macros), 1, 'filter:1:16: ')
    r = saker('print', FILES, '--filter', 'evt.num = 1 and wrong', '--rules', macros)
    fails(r, 1, f'{macros}:4:15: ', "did you mean 'proc.name'?", "macro 'wrong'")
    check(b'LOAD_UNUSED' not in r.stderr, r.stderr)
    fails(saker('print', FILES, '--filter', 'evt.num = 1', '--rules', '/nonexistent.yaml'), 1, '/nonexistent.yaml')
    fails(saker('print', FILES, '--rules', macros), 2, '--rules wants --filter')


def a_long_wrong_filter_is_cut_around_its_place():
    r = saker('print', FILES, '--filter', 'evt.num=1 or ' * 10000 + 'proc.nosuch=1')
    fails(r, 1, 'proc.nosuch')
    check(len(r.stderr) < 500, len(r.stderr))


def json_has_what_a_transformer_makes_under_its_own_name():
    form = '%toupper(proc.name) %proc.name %toupper(proc.name) %evt.num'
    o = json.loads(done(saker('print', FILES, '--json', '--max', '1', '--format', form)))
    equal(list(o), ['toupper(proc.name)', 'proc.name', 'evt.num'])
    check(o['proc.name'] and o['toupper(proc.name)'] == o['proc.name'].upper(), o)
    check(isinstance(o['evt.num'], int), o)


def a_count_takes_no_word_on_how_to_print():
    for how in (['--json'], ['--format', '%evt.num'], ['--format', '%nonsense']):
        fails(saker('print', FILES, '--count', *how), 2, '--count', how[0])


def what_a_terminal_would_obey_is_not_printed():
    name = 'a\x9b31mb\u202ec\u2066d\u2028é'
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, name.encode(), b'/x')])
    path = file('obeyed.scap', head + scapfile.event(scapfile.record(1000, 1, 5, [bytes(8), bytes(8)])))
    seen = 'a\ufffd31mb\ufffdc\ufffdd\ufffdé'
    equal(done(saker('print', path, '--format', '%proc.name')).decode(), seen + '\n')
    out = done(saker('print', path, '--json', '--format', '%proc.name')).decode()
    check(json.loads(out) == {'proc.name': name} and '\\u009b' in out and '\\u202e' in out, out)
    rules = file('obeyed.yaml', f'- rule: {json.dumps(name)}\n  desc: d\n  condition: evt.type=close and proc.name=x\n'
                 '  output: x\n  priority: INFO\n')
    for out in (done(saker('explain', path, '--rules', rules, '--event', '1')),
                done(saker('list', 'rules', '--rules', rules))):
        check(seen in out.decode(), out)
        check(not any(c in out.decode() for c in '\x9b\u202e\u2066\u2028'), out)


def json_is_an_object_a_line_with_the_fields_of_the_format():
    out = done(saker('print', FILES, '--json', '--max', '3', '--format', '%evt.num %evt.type %fd.cip %proc.name'))
    equal(len(out.splitlines()), 3)
    for line in out.splitlines():
        o = json.loads(line)
        equal(list(o), ['evt.num', 'evt.type', 'fd.cip', 'proc.name'])
        check(o['evt.num'] > 0 and o['fd.cip'] is None, o)
    check('proc.name' in json.loads(done(saker('print', FILES, '--json', '--max', '1'))))


def count_is_only_the_number():
    n = int(done(saker('print', FILES, '--count')))
    equal(n, done(saker('print', FILES, '--format', '%evt.num')).count(b'\n'))
    equal(done(saker('print', FILES, '--count', '--max', '7')), b'7\n')


def standard_input_is_a_capture_too_compressed_or_not():
    want = done(saker('print', FILES))
    with open(FILES, 'rb') as f:
        equal(done(saker('print', '-', stdin=f)), want)
        f.seek(0)
        equal(done(saker('print', '-', stdin=gzip.decompress(f.read()))), want)


def a_reader_that_goes_away_is_no_fault():
    p = subprocess.Popen([SAKER, 'print', capture('processes.scap.gz')], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(10)
    p.stdout.close()
    equal((p.wait(), p.stderr.read()), (0, b''))


def a_full_disk_is_reported():
    with open('/dev/full', 'wb') as full:
        r = saker('print', FILES, stdout=full, stderr=subprocess.PIPE)
        fails(r, 1, 'standard output', 'No space left')
        fails(saker('list', 'fields', stdout=full, stderr=subprocess.PIPE), 1, 'No space left')
        fails(saker('--version', stdout=full, stderr=subprocess.PIPE), 1, 'No space left')


def a_full_disk_is_told_once():
    with open('/dev/full', 'wb') as full:
        for args in (['--write', '-'], []):
            equal(saker('print', FILES, *args, stdout=full, stderr=subprocess.PIPE).stderr.count(b'\n'), 1)
    for args in ([], ['--compress'], ['--max', '3'], ['--filter', 'evt.num > 5']):
        r = saker('print', FILES, '--write', '/dev/full', *args)
        equal((r.returncode, r.stderr.count(b'\n')), (1, 1), r.stderr)


def closed_standard_files_do_no_harm():
    r = subprocess.run(['sh', '-c', f'"{SAKER}" print "{FILES}" >&-'], capture_output=True)
    fails(r, 1, 'standard output')
    r = subprocess.run(['sh', '-c', f'"{SAKER}" print "{FILES}" --count <&- 2>&-'], capture_output=True)
    check(int(r.stdout) > 0)


def values_are_one_line_of_clean_text():
    head = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'a\x1b[31m\n\xff', b'/x')])
    path = file('names.scap', head + scapfile.event(scapfile.record(1000, 1, 5, [bytes(8), bytes(8)])))
    equal(done(saker('print', path, '--format', '<%proc.name>')).decode(), '<a\ufffd[31m\ufffd\ufffd>\n')


def _peak_kib(data, times):
    """Peak memory of counting the events of so many copies of a capture, one behind the other in a pipe; their number.

    Asked of the process itself, once it has read everything: what a parent is told includes memory of the parent's own.
    """
    p = subprocess.Popen([SAKER, 'print', '-', '--count'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(times):
        p.stdin.write(data)
    p.stdin.flush()
    while struct.unpack('i', fcntl.ioctl(p.stdin, termios.FIONREAD, b'1234'))[0]:
        time.sleep(0.01)
    with open(f'/proc/{p.pid}/status') as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith('VmHWM:'))
    out, _ = p.communicate()
    equal(p.returncode, 0)
    return peak, int(out)


def memory_does_not_grow_with_the_length_of_a_capture():
    for name in ('files.scap.gz', 'enter-era.scap.gz', 'containers.scap.gz'):
        data = scapfile.read(capture(name))
        once, n_once = _peak_kib(data, 1)
        often, n_often = _peak_kib(data, 20)
        check(n_often >= 20 * n_once, name, n_once, n_often)
        check(SANITIZED or often - once < 1024, name, once, often)


run(globals())
