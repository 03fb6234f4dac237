# SPDX-License-Identifier: Apache-2.0
"""Tables have budgets, and what was counted can be seen."""
import re
import struct

import scapfile
from tap import capture, check, done, equal, file, run, saker

PROCESSES = capture('processes.scap.gz')
RULES = file('rules.yaml', '- {rule: r, desc: d, condition: "evt.type in (execve, close)", output: x, priority: INFO}\n')
HEAD = scapfile.section() + scapfile.machine() + scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init')])
CLOSE, MEMFD, FD = 5, 405, struct.pack('<q', 3)
GOOD = scapfile.event(scapfile.record(1000, 1, CLOSE, [struct.pack('<q', 0), FD]))
JSON = b'{"container": {"id": 7, nonsense\0'
# A container event whose text is no JSON; its lengths are 32 bits wide.
LYING = scapfile.event(struct.pack('<QQIHII', 1001, 2**64 - 1, 30 + len(JSON), 324, 1, len(JSON)) + JSON, kind=0x221)
UNKNOWN = scapfile.event(scapfile.record(1002, 1, 9999, []))


def _said(*args):
    """What reading commands say of a capture on standard error: the same, each."""
    texts = []
    for command in (('replay', '--rules', RULES), ('print',), ('explain', '--rules', RULES, '--rule', 'r')):
        r = saker(command[0], *args, *command[1:])
        done(r)
        texts.append(r.stderr.decode())
    equal(len(set(texts)), 1, texts)
    return texts[0]


def records_that_were_skipped_are_told_in_one_line():
    equal(_said(file('one.scap', HEAD + GOOD)), '')
    equal(_said(file('one.scap', HEAD + GOOD + LYING)), 'saker: 1 record skipped: 1 malformed\n')
    equal(_said(file('one.scap', HEAD + GOOD + UNKNOWN + UNKNOWN + LYING)),
          'saker: 3 records skipped: 2 of unknown types, 1 malformed\n')


def a_full_table_is_told_and_rules_still_alert():
    all_of_it = done(saker('replay', PROCESSES, '--rules', RULES))
    r = saker('replay', PROCESSES, '--rules', RULES, '--max-threads', '10')
    equal(done(r).count(b'\n'), all_of_it.count(b'\n'))
    check(re.fullmatch(rb'saker: tables were full: .*\d+ threads (refused|evicted).*\(see --max-threads.*\n', r.stderr),
          r.stderr)
    r = saker('print', PROCESSES, '--count', '--max-fds', '10')
    done(r)
    check(re.search(rb' \d+ descriptors refused', r.stderr), r.stderr)


def a_descriptor_with_an_impossible_number_does_not_fill_a_table():
    one = scapfile.event(scapfile.record(1000, 1, MEMFD, [struct.pack('<q', 1 << 40), b'x\0', struct.pack('<I', 0)]))
    equal(_said(file('absurd.scap', HEAD + one)),
          'saker: left out: 1 descriptors of numbers that cannot be\n')


def no_budget_is_too_small():
    n = done(saker('print', PROCESSES, '--count'))
    for option in ('--max-threads', '--max-fds', '--max-containers', '--max-memory'):
        for value in ('1', '2', '4096', '18446744073709551615'):
            equal(done(saker('print', PROCESSES, '--count', option, value)), n, option, value)


def a_budget_of_memory_holds():
    for size in ('1', '100K', '1048576'):
        r = saker('replay', PROCESSES, '--rules', RULES, '--max-memory', size, '--stats')
        done(r)
        check(int(re.search(rb'(\d+)  bytes of tables', r.stderr)[1]) <= 1 << 20, size, r.stderr)


def counters_are_listed_when_asked_for():
    path = file('one.scap', HEAD + GOOD + LYING)
    for args in (('print', path, '--stats'), ('replay', path, '--rules', RULES, '--stats')):
        r = saker(*args)
        done(r)
        counts = {m[2]: int(m[1]) for m in re.finditer(r'^saker: +(\d+)  (.*)$', r.stderr.decode(), re.M)}
        equal((counts['malformed: skipped'], counts['events applied'], counts['threads known']), (1, 2, 1), r.stderr)
        check(0 not in counts.values(), counts)


run(globals())
