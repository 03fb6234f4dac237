# SPDX-License-Identifier: Apache-2.0
"""What replay, run, record and check make of a configuration."""
import json
import os

from tap import SOURCE, TMP, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULES = '''
- rule: Opened
  desc: all of it
  condition: evt.type in (open, openat)
  output: opened %fd.name by %proc.name
  priority: DEBUG
  tags: [noisy, file]
- rule: Opened by cat
  desc: some of it
  condition: evt.type in (open, openat) and proc.name = cat
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
  condition: evt.type = execve and evt.rawres = 0
  output: never
  priority: ERROR
  tags: [idle]
  enabled: false
'''
SUGGESTED = ' container_id='


def _replay(text, *args):
    """Alerts of a replay with this configuration and RULES."""
    rules = file('rules.yaml', RULES)
    path = file('conf.yaml', f'rules_files: [{rules}]\njson_output: true\n' + text)
    return [json.loads(x) for x in done(saker('replay', FILES, '-c', path, *args)).splitlines()]


def _rules(text, *args):
    return {a['rule'] for a in _replay(text, *args)}


def rule_files_are_the_configurations():
    equal(_rules(''), {'Opened', 'Executed'})


def rule_files_of_the_command_line_stand_instead():
    other = file('other.yaml', '- rule: O\n  desc: d\n  condition: evt.type=execve\n  output: o\n  priority: INFO\n')
    equal(_rules('', '-r', other), {'O'})


def folders_count_and_what_is_missing_does_not():
    folder = os.path.join(TMP, 'rules.d')
    os.makedirs(f'{folder}/empty', exist_ok=True)
    for name, rule in (('b.yaml', 'B'), ('a.yml', 'A'), ('c.txt', 'C')):
        with open(f'{folder}/{name}', 'w') as f:
            f.write(f'- rule: {rule}\n  desc: d\n  condition: evt.type=execve\n  output: o\n  priority: INFO\n')
    args = ('replay', FILES, '-o', 'json_output=true', '-o', 'rule_matching=all')
    got = saker(*args, '-o', f'rules_files[]={folder}', '-o', 'rules_files[]=/nowhere.yaml',
                '-o', f'rules_files[]={folder}/empty', '-o', f'rules_files[]={folder}/c.txt')
    equal({json.loads(x)['rule'] for x in done(got).splitlines()}, {'A', 'B'})
    check(b'c.txt is left out' in got.stderr, got.stderr)


def rules_are_switched_in_order():
    equal(_rules('rules: [{disable: {rule: "Open*"}}]'), {'Executed'})
    equal(_rules('rules: [{disable: {rule: "*"}}, {enable: {tag: process}}]'), {'Executed'})
    equal(_rules('rules: [{enable: {tag: process}}, {disable: {rule: "*"}}, {enable: {rule: "Opened by cat"}}]'),
          {'Opened by cat'})
    equal(_rules('rules: [{disable: {tag: process}}, {enable: {rule: Never on}}]'), {'Opened', 'Never on'})


def switches_that_switch_nothing_are_told():
    got = saker('replay', FILES, '-r', file('rules.yaml', RULES), '-o', 'rules[]={disable: {tag: fiel}}')
    done(got)
    check(b"rules[0]: no rule has the tag 'fiel'" in got.stderr, got.stderr)


def rules_may_match_first_or_all():
    equal(_rules('rule_matching: all'), {'Opened', 'Opened by cat', 'Executed'})


def less_urgent_rules_are_left_out():
    equal(_rules('priority: warning\n'), {'Opened by cat', 'Executed'})
    equal(_rules('priority: warning\n', '--priority', 'error'), {'Executed'})
    equal(_rules('priority: INFO\nrules: [{enable: {rule: Opened}}]\n'), {'Opened by cat', 'Executed'})


def json_has_the_members_that_are_wanted():
    alert = _replay('')[0]
    equal(sorted(alert), ['hostname', 'output', 'output_fields', 'priority', 'rule', 'source', 'tags', 'time'])
    alert = _replay('json_include_output_property: false\njson_include_message_property: true\n'
                    'json_include_output_fields_property: false\njson_include_tags_property: false\n')[0]
    equal(sorted(alert), ['hostname', 'message', 'priority', 'rule', 'source', 'time'])
    check(alert['message'].startswith('ran ') or alert['message'].startswith('opened '), alert)


def times_may_have_their_date():
    alert = _replay('time_format_iso_8601: true\n')[0]
    check('evt.time.iso8601' in alert['output_fields'] and 'evt.time' not in alert['output_fields'], alert)
    check(alert['output'].split(': ')[0].endswith('+0000'), alert['output'])


def options_win_over_files():
    text = done(saker('replay', FILES, '-c', file('c.yaml', 'json_output: true\n'), '-o', 'json_output=false',
                      '-r', file('rules.yaml', RULES)))
    check(not text.startswith(b'{'))


def without_append_output_suggested_fields_are_behind_every_output():
    check(all(SUGGESTED in a['output'] for a in _replay('')))
    check(not any(SUGGESTED in a['output'] for a in _replay('append_output: []\n')))
    check(all(SUGGESTED in a['output'] for a in _replay('append_output: [{suggested_output: true}]\n')))


def text_is_appended_to_rules_that_match():
    for match, rules in (('{rule: Executed}', {'Executed'}), ('{tags: [file, noisy]}', {'Opened'}),
                         ('{source: syscall}', {'Opened', 'Executed'}), ('{source: other}', set()),
                         ('{tags: [file, process]}', set()), ('{source: syscall, tags: process}', {'Executed'})):
        alerts = _replay(f'append_output: [{{match: {match}, extra_output: "pid=%proc.pid"}}]\n')
        equal({a['rule'] for a in alerts if ' pid=' in a['output']}, rules, match)
        equal({a['rule'] for a in alerts if 'proc.pid' in a['output_fields']}, rules, match)


def what_is_appended_stands_before_what_is_suggested():
    alert = _replay('append_output: [{suggested_output: true, extra_output: one}, {extra_output: two}]\n')[0]
    check(f' one two{SUGGESTED}' in alert['output'], alert['output'])


def extra_fields_are_in_json_alone():
    alert = [a for a in _replay('append_output: [{extra_fields: [proc.pid, {who: "<%proc.name>"}, {n: "%proc.pid"}]}]\n')
             if a['rule'] == 'Executed'][0]
    fields = alert['output_fields']
    check(isinstance(fields['proc.pid'], int), fields)
    equal((fields['who'], fields['n']), (f'<{fields["proc.name"]}>', str(fields['proc.pid'])))
    equal(alert['output'].split('ran ')[1], fields['proc.name'])
    equal(list(fields), sorted(fields))
    fields = _replay('append_output: [{extra_fields: [{evt.time: x}, {proc.name: a}, {proc.name: b}]}]\n')[0]['output_fields']
    equal((fields['evt.time'], fields['proc.name']), ('x', 'b'))


def a_wrong_appendix_is_told_once():
    for text, why in (('{extra_output: "%no.such"}', 'no.such'), ('{extra_fields: [{x: "%no.such"}]}', 'no.such'),
                      ('{extra_fields: [no.such]}', 'no.such'), ('{extra_fields: ["proc.pid %proc.name"]}', 'not the name')):
        got = saker('replay', FILES, '-r', file('rules.yaml', RULES), '-o', f'append_output[]={text}')
        fails(got, 1, why)


def alerts_must_have_somewhere_to_go():
    fails(saker('replay', FILES, '-o', 'stdout_output.enabled=false'), 1, 'No output configured')


def a_wrong_configuration_ends_each_command():
    for args in (['replay', FILES], ['run'], ['record', f'{TMP}/x'], ['check']):
        fails(saker(*args, '-c', '/nowhere.yaml'), 1, '/nowhere.yaml: No such file')
        fails(saker(*args, '-o', 'priority=wraning'), 1, 'priority wants one of')


def tables_have_the_configured_size():
    few = saker('replay', FILES, '-r', file('rules.yaml', RULES), '-o', 'falco_libs.thread_table_size=1', '--stats')
    check(b'thread' in few.stderr, few.stderr)
    done(few)


def check_reads_what_the_configuration_names():
    rules, bad = file('rules.yaml', RULES), file('bad.yaml', '- rule: x\n')
    text = done(saker('check', '-c', file('c.yaml', f'rules_files: [{rules}]\n'))).decode()
    check(text.startswith(f'{rules}: Ok'), text)
    equal(saker('check', '-c', file('c.yaml', f'rules_files: [{rules}, {bad}]\n')).returncode, 1)
    fails(saker('check'), 2, 'FILE is missing')


def system_calls_are_chosen():
    def watched(*args):
        return {x['name'] for x in json.loads(done(saker('run', '--print-syscalls', '-o', 'json_output=true', '-r',
                                                         file('rules.yaml', RULES), *args)))['syscalls'] if x['watched']}
    base = watched()
    few = watched('-o', 'base_syscalls.custom_set=[clone, "!openat"]')
    check('openat' in base and 'openat' not in few and 'clone' in few and len(few) < len(base), few)
    check(len(watched('-o', 'base_syscalls.repair=true')) < len(base))
    equal(watched('-o', 'base_syscalls.repair=true', '--syscalls', 'clone,!openat'), few, 'the command line wins')
    fails(saker('run', '-o', 'base_syscalls.custom_set=[clone, nosuch]'), 2, 'base_syscalls.custom_set', 'nosuch')


def plugins_are_loaded_that_the_configuration_names():
    entry = '{name: nosuch, library_path: /nowhere/libnosuch.so}'
    fails(saker('replay', FILES, '-o', f'plugins[]={entry}'), 1, '/nowhere/libnosuch.so')
    done(saker('replay', FILES, '-o', f'plugins[]={entry}', '-o', 'load_plugins=[]'))
    fails(saker('replay', FILES, '-o', 'load_plugins[]=other'), 1, "the name 'other'")
    fails(saker('replay', FILES, '-o', 'plugins[]={name: x, library_path: ../../x.so}'), 1, 'leads out of')
    done(saker('replay', FILES, '-o', 'plugins[]={name: container, library_path: libcontainer.so}',
               '-o', 'load_plugins[]=container'))


run(globals())
