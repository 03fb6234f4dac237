# SPDX-License-Identifier: Apache-2.0
"""Many alerts told as one: saker.rollup."""
import json

from tap import capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULES = '''
- rule: Opened
  desc: all of it
  condition: evt.type in (open, openat)
  output: opened %fd.name by %proc.name
  priority: DEBUG
  tags: [b, a]
- rule: Executed
  desc: programs
  condition: evt.type = execve and evt.rawres = 0
  output: ran %proc.name
  priority: INFO
'''


def _replay(*options, json_output=True):
    args = [a for o in (*options, 'append_output=[]') for a in ('-o', o)]
    got = saker('replay', FILES, '-r', file('rules.yaml', RULES), '-a', '-s', *args, *(['-j'] if json_output else []))
    lines = done(got).decode().splitlines()
    return ([json.loads(x) for x in lines] if json_output else lines), got.stderr.decode()


def _rolled(alert):
    return alert.get('saker', {}).get('rolled_up', 0)


ALL, _ = _replay()


def each_alert_is_told_for_itself_unless_said_otherwise():
    check(len(ALL) > 1000 and not any(map(_rolled, ALL)))


def the_first_is_told_at_once_and_the_others_as_one():
    got, said = _replay('saker.rollup[]={rule: Opened, interval: 1h}')
    opened = [a for a in got if a['rule'] == 'Opened']
    all_opened = [a for a in ALL if a['rule'] == 'Opened']
    equal(len(opened), 2)
    equal(opened[0], all_opened[0])
    equal(_rolled(opened[1]), len(all_opened) - 1)
    equal(opened[1]['output_fields'], all_opened[-1]['output_fields'])
    equal(opened[1]['time'], all_opened[-1]['time'])
    equal(opened[1]['tags'], ['a', 'b'])
    span = all_opened[-1]['output_fields']['evt.time'] - all_opened[0]['output_fields']['evt.time']
    equal(opened[1]['saker']['rolled_up_ns'], span)
    equal(opened[1]['output'], all_opened[-1]['output'] + f' (x {len(all_opened) - 1} in {span / 1e9:.4f}'[:-1] + 's)')
    check(f'{len(all_opened) - 1} alerts were told in 1 summaries' in said, said)
    equal([a for a in got if a['rule'] == 'Executed'], [a for a in ALL if a['rule'] == 'Executed'])


def no_alert_is_lost_whatever_the_interval():
    for interval in ('1ms', '10ms', '1s'):
        for fields in ('', ', fields: [proc.name, fd.name]'):
            got, _ = _replay(f'saker.rollup[]={{interval: {interval}{fields}}}')
            for rule in ('Opened', 'Executed'):
                n = sum(_rolled(a) or 1 for a in got if a['rule'] == rule)
                equal(n, len([a for a in ALL if a['rule'] == rule]), interval, rule)


def a_key_is_of_the_fields_chosen():
    got, _ = _replay('saker.rollup[]={rule: Op*, interval: 1h, fields: proc.name}')
    names = {a['output_fields']['proc.name'] for a in ALL if a['rule'] == 'Opened'}
    for name in names:
        these = [a for a in got if a['rule'] == 'Opened' and a['output_fields']['proc.name'] == name]
        check(1 <= len(these) <= 2 and not _rolled(these[0]), name, these)


def the_first_item_that_a_rule_matches_counts():
    got, _ = _replay('saker.rollup=[]', 'saker.rollup[]={rule: Executed, interval: 1h}',
                     'saker.rollup[]={interval: 1h, fields: [fd.name]}')
    equal(len([a for a in got if a['rule'] == 'Executed']), 2)
    check(len([a for a in got if a['rule'] == 'Opened']) > 2)


def a_summary_begins_the_next_interval():
    got, _ = _replay('saker.rollup[]={rule: Opened, interval: 100ms}')
    times = [a['output_fields']['evt.time'] for a in got if a['rule'] == 'Opened' and not _rolled(a)]
    check(all(b - a >= 100_000_000 for a, b in zip(times, times[1:])), times)


def a_replay_tells_the_same_each_time():
    args = ('saker.rollup[]={interval: 7ms, fields: [proc.pid]}', 'saker.rollup_keys=10')
    equal(_replay(*args)[0], _replay(*args)[0])


def what_there_is_no_room_for_is_told_early():
    for limit in ('saker.rollup_keys=3', 'saker.rollup_memory=64K'):
        got, said = _replay('saker.rollup[]={interval: 1h, fields: [fd.name, proc.pid, evt.num]}'
                            if 'memory' in limit else 'saker.rollup[]={interval: 1h, fields: [proc.name]}', limit)
        equal(sum(_rolled(a) or 1 for a in got), len(ALL), limit)
        if 'keys' in limit:
            check(' 0 of them early' not in said, said)


def text_says_it_too():
    lines, _ = _replay('saker.rollup[]={rule: Opened, interval: 1h}', json_output=False)
    check(any(x.endswith('s)') and ' (x ' in x for x in lines), lines[-1])


def a_field_that_is_none_is_an_error():
    got = saker('replay', FILES, '-r', file('rules.yaml', RULES), '-o', 'saker.rollup[]={fields: [proc.nam]}')
    fails(got, 1, 'saker.rollup[].fields')
    fails(saker('replay', FILES, '-o', 'saker.rollup[]={interval: 5}'), 1, 'saker.rollup[0].interval')


run(globals())
