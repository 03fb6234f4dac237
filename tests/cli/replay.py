# SPDX-License-Identifier: Apache-2.0
import json
import re
import subprocess

from tap import SAKER, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULES = '''
- list: readers
  items: [cat, head]
- macro: opens
  condition: evt.type in (open, openat)
- rule: Anything opened
  desc: all of it
  condition: opens
  output: opened %fd.name by %proc.name
  priority: DEBUG
  tags: [file, noisy]
- rule: Opened by a reader
  desc: some of it
  condition: opens and proc.name in (readers)
  output: read %fd.name
  priority: WARNING
  tags: [file]
- rule: Executed
  desc: programs
  condition: evt.type = execve and evt.rawres = 0
  output: ran %proc.name
  priority: ERROR
  tags: [process]
- rule: Never on
  desc: off
  condition: evt.type = execve
  output: never
  priority: ERROR
  enabled: false
'''


def _alerts(*args, rules=RULES):
    out = done(saker('replay', FILES, '--rules', file('rules.yaml', rules), '--json', *args))
    return [json.loads(line) for line in out.splitlines()]


def _names(alerts):
    return {a['rule'] for a in alerts}


def an_alert_is_a_line_of_time_priority_and_output():
    lines = done(saker('replay', FILES, '--rules', file('rules.yaml', RULES), '--tags', 'process')).splitlines()
    for line in lines:
        time, priority, rest = line.split(b' ', 2)
        check(time.endswith(b':') and time.count(b':') == 3 and priority == b'Error' and rest.startswith(b'ran '), line)
    check(lines)


def outputs_in_blocks_that_are_joined_stay_one_line():
    base = file('base.yaml', "- rule: r\n  desc: d\n  condition: evt.type=execve\n  output: >\n    ran %proc.name\n  priority: INFO\n")
    more = file('more.yaml', '- rule: r\n  output: >\n    by %user.uid\n  override: {output: append}\n')
    lines = done(saker('replay', FILES, '--rules', base, '--rules', more)).decode().splitlines()
    check(lines and all(re.search(r'Informational ran \S+ by \d+', line) for line in lines), lines[:4])


def only_the_first_rule_that_matches_alerts():
    names = _names(_alerts())
    equal(names, {'Anything opened', 'Executed'})


def all_matches_means_every_rule():
    equal(_names(_alerts('--all-matches')), {'Anything opened', 'Opened by a reader', 'Executed'})


def priority_is_the_least_urgent_that_alerts():
    equal(_names(_alerts('--priority', 'warning')), {'Opened by a reader', 'Executed'})
    equal(_names(_alerts('--priority', 'ERROR')), {'Executed'})


def tags_choose_rules():
    equal(_names(_alerts('--tags', 'process')), {'Executed'})
    equal(_names(_alerts('--tags', 'process,noisy')), {'Executed', 'Anything opened'})
    equal(_names(_alerts('--tags', 'process', '--tags', 'noisy')), {'Executed', 'Anything opened'})


def disable_takes_patterns():
    equal(_names(_alerts('--disable', 'Anything*')), {'Opened by a reader', 'Executed'})
    equal(_names(_alerts('--disable', 'Anything*', '--disable', 'Executed')), {'Opened by a reader'})


def rule_files_are_loaded_in_order():
    more = file('more.yaml', '- rule: Anything opened\n  enabled: false\n  override: {enabled: replace}\n')
    first = file('rules.yaml', RULES)
    out = done(saker('replay', FILES, '--rules', first, '--rules', more, '--json'))
    equal({json.loads(x)['rule'] for x in out.splitlines()}, {'Opened by a reader', 'Executed'})


def without_rules_the_bundled_ones_are_used():
    done(saker('replay', FILES))
    r = saker('replay', capture('containers.scap.gz'), '--summary')
    check(done(r), 'no alert in the demonstration')
    check(b' alerts of ' in r.stderr, r.stderr)


def the_summary_counts_alerts_by_rule():
    r = saker('replay', FILES, '--rules', file('rules.yaml', RULES), '--tags', 'process', '--summary')
    n = len(done(r).splitlines())
    check(b'saker: %d alerts of 1 rules in ' % n in r.stderr, r.stderr)
    check(b'%d  Error          Executed\n' % n in r.stderr, r.stderr)
    equal(saker('replay', FILES, '--rules', file('rules.yaml', RULES)).stderr, b'')


def wrong_rules_are_reported_with_their_place_and_nothing_runs():
    bad = file('bad.yaml', RULES.replace('proc.name in (readers)', 'proc.nosuch = 1'))
    r = saker('replay', FILES, '--rules', bad)
    fails(r, 1, 'bad.yaml', 'proc.nosuch')
    equal(r.stdout, b'')
    fails(saker('replay', FILES, '--rules', '/nonexistent.yaml'), 1, '/nonexistent.yaml')


def standard_input_can_be_the_capture():
    with open(FILES, 'rb') as f:
        out = done(saker('replay', '-', '--rules', file('rules.yaml', RULES), stdin=f))
    equal(out, done(saker('replay', FILES, '--rules', file('rules.yaml', RULES))))


def a_reader_that_goes_away_is_no_fault():
    p = subprocess.Popen([SAKER, 'replay', FILES, '--rules', f'{file("rules.yaml", RULES)}'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    equal((p.wait(), p.stderr.read()), (0, b''))


def json_members_have_their_types():
    for a in _alerts():
        equal(sorted(a), ['hostname', 'output', 'output_fields', 'priority', 'rule', 'source', 'tags', 'time'])
        check(isinstance(a['output_fields']['evt.time'], int))
        equal(a['source'], 'syscall')


def the_host_name_can_be_given():
    out = saker('replay', FILES, '--rules', file('rules.yaml', RULES), '--json', env={'FALCO_HOSTNAME': 'elsewhere'})
    equal(json.loads(done(out).splitlines()[0])['hostname'], 'elsewhere')


run(globals())
