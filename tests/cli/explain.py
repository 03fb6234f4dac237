# SPDX-License-Identifier: Apache-2.0
import json
import re

import scapfile
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
    check('\nOpened: matches (alert)\n' in out, out)
    check('\nOff (disabled): matches\n' in out, out)
    line, = [x for x in out.splitlines() if x.startswith('By nobody: ')]
    for part in ('proc.name', 'nobody-at-all', f'"{name}"', '(macro by_nobody)'):
        check(part in line, part, line)


def what_has_no_value_is_said_to_have_none():
    """Null, or a field of several values that has none of them."""
    rules = file('null.yaml', ''.join(
        f'- rule: {name}\n  desc: d\n  condition: evt.type=openat and {condition}\n  output: x\n  priority: INFO\n'
        for name, condition in (('one', 'fd.cip=1.2.3.4'), ('two', 'fd.ip=1.2.3.4'), ('three', 'fd.num>=0 and not fd.num>=0'),
                                ('four', 'proc.name=""'))))
    num = _first('openat').decode()
    out = done(saker('explain', FILES, '--rules', rules, '--event', num)).decode()
    check('one: fd.cip = 1.2.3.4 is false; it has no value\n' in out, out)
    check('two: fd.ip = 1.2.3.4 is false; it has no value\n' in out, out)
    check('it was "' in out and '"()"' not in out and '<NA>' not in out.partition('\n')[2].partition('\n')[2], out)
    out = json.loads(done(saker('explain', FILES, '--rules', rules, '--event', num, '--json')))
    equal([r['reasons'][0]['value'] for r in out['rules']][:2], [None, None], out)
    out = done(saker('explain', FILES, '--rules', rules, '--rule', 'two')).decode()
    check(' without a value\n' in out, out)


def rules_of_other_types_are_not_named():
    out = done(saker('explain', FILES, '--rules', RULES, '--event', _first('execve').decode()))
    equal(out.count(b'\n'), 2, out)


def a_rule_has_where_its_events_ended():
    n = int(done(saker('print', FILES, '--filter', 'evt.type=openat', '--count')))
    out = done(saker('explain', FILES, '--rules', RULES, '--rule', 'By nobody')).decode()
    counts = {m[2]: int(m[1]) for m in re.finditer(r'^ *(\d+)  (\w+)', out, re.M)}
    check(counts['ended'] == n and counts['matched'] == 0, out)
    out = done(saker('explain', FILES, '--rules', RULES, '--rule', 'Opened')).decode()
    check(re.search(rf'^ *{n}  matched', out, re.M), out)


def values_are_one_line_of_clean_text():
    head = scapfile.section() + scapfile.machine() + scapfile.procs(
        [scapfile.proc(1, 1, 0, b'a\x1b[31m\n\xff\xc3', b'/x')])
    path = file('names.scap', head + scapfile.event(scapfile.record(1000, 1, 5, [bytes(8), bytes(8)])))
    rules = file('names.yaml', '- rule: r\n  desc: d\n  condition: "evt.type = close and proc.name = \'x\\e\\n\'"\n'
                 '  output: x\n  priority: INFO\n')
    for how in (['--event', '1'], ['--rule', 'r'], ['--event', '1', '--json'], ['--rule', 'r', '--json']):
        out = done(saker('explain', path, '--rules', rules, *how)).decode('utf-8')
        check('a' in out and not any(c < ' ' and c != '\n' or c == '\x7f' for c in out), out)
        if '--json' in how:
            for line in out.splitlines():
                json.loads(line)


def what_is_not_there_is_an_error():
    fails(saker('explain', FILES, '--rules', RULES, '--event', '999999999'), 1, 'no event 999999999')
    fails(saker('explain', FILES, '--rules', RULES, '--rule', 'None such'), 1, "no rule 'None such'")
    fails(saker('explain', FILES, '--rules', RULES, '--rule', 'By nobdy'), 1, "did you mean 'By nobody'?")
    fails(saker('explain', '/nonexistent', '--rules', RULES, '--event', '1'), 1, '/nonexistent')


# In CONTAINERS the program record-old makes event 96, an execve.
CONTAINERS = capture('containers.scap.gz')
_PARTS = '''
- list: shells
  items: [ash, bash, csh, dash]
- macro: by_others
  condition: not proc.name = record-old
'''


def _rule(name, condition, more=''):
    return (f'- {{rule: {name}, desc: d, condition: "evt.type = execve and {condition}", output: x, priority: INFO'
            f'{more}}}\n')


def _explain(rules, *args):
    return done(saker('explain', CONTAINERS, '--rules', file('parts.yaml', _PARTS + rules), *args)).decode()


def _why(condition, *args, more=''):
    """The lines about a rule with this condition, without its name."""
    return _explain(_rule('r', condition, more), '--event', '96', *args).split('\nr: ')[1].splitlines()


def what_is_true_under_a_not_is_said_to_be_true():
    equal(_why('not proc.name = record-old'), ['not (proc.name = record-old): it is true ("record-old")'])
    equal(_why('not proc.name != sh'), ['not (proc.name != sh): it is true ("record-old")'])
    equal(_why('not (not (proc.name = sh))'), ['proc.name = sh is false; it was "record-old"'])
    equal(_why('not (not (not (proc.name = record-old)))'),
          ['not (proc.name = record-old): it is true ("record-old")'])
    equal(_why('by_others'), ['not (proc.name = record-old): it is true ("record-old") (macro by_others)'])
    equal(_why('not by_others'), ['matches (alert)'])


def all_of_an_and_under_a_not_is_to_blame():
    equal(_why('not (proc.name = record-old and evt.cpu >= 0)'),
          ['not (proc.name = record-old and evt.cpu >= 0): it is true',
           '    proc.name = record-old is true; it was "record-old"',
           '    evt.cpu >= 0 is true; it was "1"'])
    equal(_why('not (proc.name = sh or proc.name = record-old)'),
          ['not (proc.name = record-old): it is true ("record-old")'])


def an_exception_is_named():
    more = (', exceptions: [{name: unused, fields: proc.name, comps: in}, {name: other, fields: proc.name, comps: in, '
            'values: [a, b]}, {name: ex, fields: [proc.name, evt.cpu], comps: [=, =], values: [[sh, 1], '
            '[record-old, 1]]}]')
    line, *parts = _why('evt.cpu >= 0', more=more)
    equal(line, "excluded by exception 'ex' (proc.name = record-old and evt.cpu = 1)")
    equal(len(parts), 2, parts)
    out = _explain(_rule('r', 'evt.cpu >= 0', more), '--rule', 'r')
    check("  excluded by exception 'ex' (proc.name = record-old and evt.cpu = 1), first event 96\n" in out, out)
    one = ', exceptions: [{name: one, fields: proc.name, comps: in, values: [record-old]}]'
    equal(_why('evt.cpu >= 0', more=one),
          ["excluded by exception 'one' (proc.name in (record-old)); it was \"record-old\""])


def ends_of_a_rule_say_what_is_under_a_not():
    out = _explain(_rule('r', 'not proc.name = record-old and proc.name = sh'), '--rule', 'r')
    check('  ended at not (proc.name = record-old), first event 96 with "record-old"\n' in out, out)
    check(re.search(r'  ended at proc\.name = sh, first event \d+ with "', out), out)


def each_branch_of_an_or_is_shown():
    lines = _why('(proc.name = a or (evt.cpu >= 0 and proc.name = b) or not evt.cpu >= 0)')
    equal(lines[1:], ['    proc.name = a is false; it was "record-old"',
                      '    proc.name = b is false; it was "record-old"',
                      '    not (evt.cpu >= 0): it is true ("1")'])
    check(lines[0].startswith('no part of (proc.name = a or ') and lines[0].endswith(') is true'), lines)
    lines = _why(' or '.join(f'proc.name = p{i}' for i in range(13)).join('()'))
    equal((len(lines), lines[-1]), (12, '    and 3 more'))


def long_lists_are_cut_unless_all_is_wanted():
    equal(_why('proc.name in (shells)'), ['proc.name in (ash, bash, ...) is false; it was "record-old"'])
    for flag in ('--verbose', '-v'):
        equal(_why('proc.name in (shells)', flag),
              ['proc.name in (ash, bash, csh, dash) is false; it was "record-old"'])


def the_event_is_shown_and_the_rule_that_alerts():
    out = _explain(_rule('off', 'evt.cpu >= 0', ', enabled: false') + _rule('one', 'evt.cpu >= 0') +
                   _rule('two', 'evt.cpu >= 0'), '--event', '96')
    lines = out.splitlines()
    equal(lines[0], 'event 96: execve')
    equal(lines[1][2:], done(saker('print', CONTAINERS, '--filter', 'evt.num = 96')).decode().splitlines()[0])
    equal(lines[2:], ['off (disabled): matches', 'one: matches (alert)', "two: matches, behind 'one'"])


def a_disabled_rule_is_explained_with_a_mark():
    out = _explain(_rule('off', 'proc.name = sh', ', enabled: false'), '--rule', 'off')
    equal(out.splitlines()[0], 'off (disabled)')
    check(' events of its types\n' in out, out)


def a_rule_whose_types_do_not_occur_names_them():
    rules = '- {rule: r, desc: d, condition: "evt.type in (bpf, setns, vmsplice)", output: x, priority: INFO}\n'
    out = done(saker('explain', FILES, '--rules', file('types.yaml', rules), '--rule', 'r')).decode()
    line, = [x for x in out.splitlines() if x.startswith('no event of its types was seen: ')]
    equal(set(line.split(': ')[1].split(', ')), {'bpf', 'setns', 'vmsplice'})


def both_have_a_json_form():
    rules = _rule('one', 'proc.name in (shells)') + _rule('two', 'not evt.cpu = 1') + _rule('three', 'evt.cpu = 1')
    event = json.loads(_explain(rules, '--event', '96', '--json'))
    equal((event['event'], event['type']), (96, 'execve'))
    equal([(r['rule'], r['matches'], r['alerts']) for r in event['rules']],
          [('one', False, False), ('two', False, False), ('three', True, True)])
    reason, = event['rules'][0]['reasons']
    equal((reason['text'], reason['result'], reason['negated'], reason['value']),
          ('proc.name in (ash, bash, csh, dash)', 'false', False, 'record-old'))
    equal([(r['result'], r['negated']) for r in event['rules'][1]['reasons']], [('true', True)])
    rule = json.loads(_explain(rules, '--rule', 'one', '--json'))
    equal((rule['rule'], rule['enabled'], rule['types']), ('one', True, ['execve']))
    equal(sum(x['events'] for x in rule['ended']) + rule['matched'] + rule['ended_elsewhere'], rule['events'])


def the_text_of_an_alert_names_its_rule():
    line = done(saker('replay', capture('containers.scap.gz'))).decode().splitlines()[0]
    name = json.loads(done(saker('replay', capture('containers.scap.gz'), '--json')).splitlines()[0])['rule']
    fails(saker('explain', capture('containers.scap.gz'), '--rule', line), 1, f"its rule is '{name}'")


run(globals())
