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


DETAILS = """
- rule: Ran
  desc: programs of containers
  condition: evt.type = execve and evt.rawres = 0 and container.id != host
  output: ran
  priority: ERROR
- rule: Opened
  desc: what they open
  condition: evt.type in (open, openat) and container.id != host
  output: opened (%container.info) here
  priority: ERROR
"""


def _outputs(*args):
    """The messages of each of the two rules, without repeats, for containers of a pod."""
    rules = file('details.yaml', DETAILS)
    out = done(saker('replay', capture('containers.scap.gz'), '--rules', rules, *args)).decode()
    lines = {line.split(' Error ')[1] for line in out.splitlines()}
    return {x for x in lines if x.startswith('ran')}, {x for x in lines if x.startswith('opened')}


def format_stands_behind_each_output():
    for given in ('-pby %proc.name', '--format=by %proc.name'):
        for output in _outputs(given, '--no-suggested-output')[0]:
            check(re.fullmatch(r'ran by \S+', output), output)
    for output in _outputs('-p', 'by %proc.name')[0]:
        check(re.match(r'ran by \S+ container_id=', output), output)


def details_of_a_container_stand_behind_outputs_or_where_they_say():
    for given in ('-pc', '-pcontainer'):
        ran, opened = _outputs(given, '--no-suggested-output')
        for output in ran:
            check(re.fullmatch(r'ran container=\S+ \(id=[0-9a-f]{12}\)', output), output)
        for output in opened:
            check(re.fullmatch(r'opened \(container=\S+ \(id=[0-9a-f]{12}\)\) here', output), output)
        check(ran and opened)


def details_of_a_pod_have_its_namespace_too():
    for given in ('-pk', '-pkubernetes'):
        ran, opened = _outputs(given, '--no-suggested-output')
        for output in ran:
            check(re.fullmatch(r'ran k8s\.ns=\S+ k8s\.pod=\S+ container=[0-9a-f]{12}', output), output)
        for output in opened:
            check(re.fullmatch(r'opened \(k8s\.ns=\S+ k8s\.pod=\S+ container=[0-9a-f]{12}\) here', output), output)
        check(any('<NA>' not in output for output in ran), 'no pod in the capture', ran)


def details_are_not_said_twice():
    plain = _outputs()
    check(all('container_id=' in output and 'k8s_pod_name=' in output for output in plain[0]), plain)
    equal(_outputs('-pc'), plain)
    equal(_outputs('-pk'), plain)
    check(all('()' in output for output in plain[1]), plain[1])


def fields_of_the_format_are_in_json_too():
    rules = file('details.yaml', DETAILS)
    out = done(saker('replay', capture('containers.scap.gz'), '--rules', rules, '-pk', '--no-suggested-output', '--json'))
    for line in out.splitlines():
        equal(set(json.loads(line)['output_fields']), {'evt.time', 'k8s.ns.name', 'k8s.pod.name', 'container.id'})


def a_wrong_format_is_told_once_and_nothing_runs():
    r = saker('replay', FILES, '--rules', file('rules.yaml', RULES), '-p', 'by %proc.nosuch')
    fails(r, 1, 'format:1:', 'proc.nosuch')
    equal((r.stdout, r.stderr.count(b'format:')), (b'', 1))


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
