# SPDX-License-Identifier: Apache-2.0
import re

from tap import capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULES = file('rules.yaml', '''
- macro: by_nobody
  condition: proc.name = nobody-at-all
- rule: By nobody
  desc: never
  condition: evt.type = openat and by_nobody
  output: x
  priority: INFO
- rule: Opened
  desc: always
  condition: evt.type = openat
  output: x
  priority: INFO
- rule: Off
  desc: off
  condition: evt.type = openat
  output: x
  priority: INFO
  enabled: false
''')


def _first(what):
    return done(saker('print', FILES, '--filter', f'evt.type={what}', '--max', '1', '--format', '%evt.num')).strip()


def an_event_has_the_first_failing_leaf_of_each_rule_of_its_type():
    num = _first('openat').decode()
    name = done(saker('print', FILES, '--filter', f'evt.num={num}', '--format', '%proc.name')).strip().decode()
    out = done(saker('explain', FILES, '--rules', RULES, '--event', num)).decode()
    check(f'event {num}: openat\n' in out, out)
    check('\nOpened: matches\n' in out, out)
    line, = [x for x in out.splitlines() if x.startswith('By nobody: ')]
    for part in ('proc.name', 'nobody-at-all', f'"{name}"', '(macro by_nobody)'):
        check(part in line, part, line)


def rules_of_other_types_are_not_named():
    out = done(saker('explain', FILES, '--rules', RULES, '--event', _first('execve').decode()))
    equal(out.count(b'\n'), 1, out)


def a_rule_has_where_its_events_ended():
    n = int(done(saker('print', FILES, '--filter', 'evt.type=openat', '--count')))
    out = done(saker('explain', FILES, '--rules', RULES, '--rule', 'By nobody')).decode()
    counts = {m[2]: int(m[1]) for m in re.finditer(r'^ *(\d+)  (\w+)', out, re.M)}
    check(counts['ended'] == n and counts['matched'] == 0, out)
    out = done(saker('explain', FILES, '--rules', RULES, '--rule', 'Opened')).decode()
    check(re.search(rf'^ *{n}  matched', out, re.M), out)


def what_is_not_there_is_an_error():
    fails(saker('explain', FILES, '--rules', RULES, '--event', '999999999'), 1, 'no event 999999999')
    fails(saker('explain', FILES, '--rules', RULES, '--rule', 'None such'), 1, "no rule 'None such'")
    fails(saker('explain', FILES, '--rules', RULES, '--rule', 'Off'), 1, 'not enabled')
    fails(saker('explain', '/nonexistent', '--rules', RULES, '--event', '1'), 1, '/nonexistent')


run(globals())
