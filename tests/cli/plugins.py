# SPDX-License-Identifier: Apache-2.0
"""Plugins from outside: the examples, and one that does everything wrong (tests/plugins/wrong.c)."""
import json
import os
import struct
import subprocess
import time

import scapfile
from tap import SAKER, SOURCE, check, done, equal, fails, file, run, saker

FOLDER = os.environ.get('SAKER_PLUGINS', f'{SOURCE}/build')
LINES = f'{FOLDER}/examples/plugins/liblines.so'
WRONG, NAMELESS, MUTE = (f'{FOLDER}/tests/plugins/lib{x}.so' for x in ('wrong', 'nameless', 'mute'))
LINES_RULES = f'{SOURCE}/examples/plugins/lines_rules.yaml'
SANITIZED = os.environ.get('SAKER_SANITIZED') == '1'
LOG = '''Accepted password for root user=root 10.0.0.1
Failed password user=bob from 10.1.2.3

hello
'''
RULE = '''
- rule: r
  desc: d
  condition: {condition}
  output: '{output}'
  priority: INFO
  source: {source}
'''


def _rules(condition, output='x', source='wrong'):
    return file('rules.yaml', RULE.format(condition=condition, output=output, source=source))


def _lines(*args, log=LOG, plugin=LINES):
    return saker('run', '--disable-source', 'syscall', '--plugin', plugin, '--open-params',
                 'lines=' + file('log.txt', log), *args)


def _wrong(what='', *args, config='', rules=None):
    rules = rules or _rules('wrong.text exists', 'text=%wrong.text')
    return saker('run', '--disable-source', 'syscall', '--plugin', WRONG + config, '--rules', rules, *args,
                 env={'WRONG': what} if what else {}, timeout=60)


def _outputs(run_):
    return [json.loads(x) for x in done(run_).splitlines()]


def a_plugins_events_meet_the_rules_of_its_source():
    lines = done(_lines('--rules', LINES_RULES)).decode().splitlines()
    equal(len(lines), 2, lines)
    check(lines[0].endswith('Notice root logged in (line=1 words=(Accepted,password,for,root,user=root,10.0.0.1) '
                            'source=lines plugin=lines)'), lines[0])
    check(lines[1].endswith('Warning failed login (line=2 user=bob from=10.1.2.3 '
                            'text=Failed password user=bob from 10.1.2.3)'), lines[1])


def alerts_as_json_carry_the_source_and_typed_values():
    first, second = _outputs(_lines('--rules', LINES_RULES, '--json'))
    equal((first['source'], second['source']), ('lines', 'lines'))
    equal(first['output_fields']['lines.words'], ['Accepted', 'password', 'for', 'root', 'user=root', '10.0.0.1'])
    equal(second['output_fields']['lines.number'], 2)
    equal(second['output_fields']['lines.ip'], '10.1.2.3')
    equal(second['output_fields']['lines.value[user]'], 'bob')


def rules_on_system_calls_see_nothing_of_a_plugins_events():
    both = file('both.yaml', RULE.format(condition='lines.empty = true', output='n=%evt.num', source='lines') +
                RULE.format(condition='evt.num >= 0', output='any', source='syscall').replace('rule: r', 'rule: s'))
    alerts = _outputs(_lines('--rules', both, '--json', '--all-matches'))
    equal([(a['rule'], a['output_fields']['evt.num']) for a in alerts], [('r', 3)])


def the_event_in_the_plugins_words_can_be_printed():
    rules = _rules('lines.number = 4', '%evt.plugininfo', 'lines')
    check(done(_lines('--rules', rules)).endswith(b'Informational hello\n'))


def a_hundred_thousand_lines_all_come_in_order():
    n = 100000
    log = ''.join(f'line {i}\n' for i in range(n))
    out = done(_lines('--rules', _rules('lines.length > 0', '%lines.number %lines.word[1]', 'lines'), log=log))
    equal([x.split()[-2:] for x in out.splitlines()], [[b'%d' % (i + 1), b'%d' % i] for i in range(n)])


def a_followed_file_ends_with_the_time_that_is_given():
    path = file('log.txt', LOG)
    with subprocess.Popen([SAKER, 'run', '--disable-source', 'syscall', '--plugin', LINES + ':{"follow":true}',
                           '--open-params', f'lines={path}', '--rules', _rules('lines.number > 4', '%lines.text', 'lines'),
                           '--duration', '30'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        with open(path, 'a') as f:
            f.write('one more\n')
        line = p.stdout.readline()
        check(line.endswith(b'one more\n'), line)
        p.terminate()
        equal(p.wait(timeout=30), 0)


def a_configuration_is_checked_against_the_plugins_schema():
    for config, say in ((':{"follow":3}', 'in <root>.follow: the value is no boolean'),
                        (':{"x":true}', "'x' is not known"), (':follow', 'init config is not a valid json'),
                        (':[]', 'the value is no object')):
        fails(_lines('--rules', LINES_RULES, plugin=LINES + config), 1, "plugin 'lines': init config: ", say)
    for config, say in ((':{"n":0}', 'in <root>.n: the value is less than 1'), (':{"n":10}', 'is more than 9'),
                        (':{"n":1.5}', 'is no integer'), (':{"who":"c"}', 'none of those that it may be'),
                        (':{"who":"abcd"}', 'in <root>.who'), (':{"list":[true,1]}', 'in <root>.list[1]: '),
                        (':{"list":[true,true,true]}', 'is longer than 2')):
        fails(_wrong(config=config), 1, "plugin 'wrong': init config: ", say)
    done(_wrong(config=':{"n":9,"who":"a","list":[true,false]}'))


def fields_of_every_type_can_be_compared_and_printed():
    output = ('%wrong.text %wrong.number %wrong.reltime %wrong.abstime %wrong.bool %wrong.ip %wrong.net %wrong.texts '
              '%wrong.numbers %wrong.any %wrong.any[3] %wrong.any[key]')
    condition = ('wrong.text = wrong and wrong.number = 1 and wrong.reltime = 2 and wrong.abstime > 2 and wrong.bool = true '
                 'and wrong.ip = 10.0.0.1 and wrong.texts in (one, two, three) and wrong.texts intersects (three, x) '
                 'and wrong.numbers in (1, 2, 3) and wrong.any = none and wrong.any[2] = xx and wrong.any[k] = k')
    alerts = _outputs(_wrong('', '--json', rules=_rules(condition, output)))
    equal(len(alerts), 10)
    f = alerts[0]['output_fields']
    equal({k: f[k] for k in f if k.startswith('wrong.')},
          {'wrong.text': 'wrong', 'wrong.number': 1, 'wrong.reltime': 2, 'wrong.abstime': 3, 'wrong.bool': True,
           'wrong.ip': '10.0.0.1', 'wrong.net': f['wrong.net'], 'wrong.texts': ['one', 'two', 'three'],
           'wrong.numbers': [1, 2, 3], 'wrong.any': 'none', 'wrong.any[3]': 'xxx', 'wrong.any[key]': 'key'})


def arguments_of_fields_are_checked():
    for condition, say in (('lines.word = x', "field 'lines.word' requires an argument"),
                           ('lines.word[x] = x', "'x' in 'lines.word[x]' is not a valid number"),
                           ('lines.txet = x', "nonexistent field lines.txet; did you mean 'lines.text'?"),
                           ('proc.name = x', 'nonexistent field proc.name')):
        fails(_lines('--rules', _rules(condition, source='lines')), 1, say)
    fails(_lines('--rules', _rules('lines.text = x and evt.type = open', source='syscall')), 1, 'nonexistent field lines.text')


def exceptions_and_macros_work_on_a_plugins_fields():
    rules = file('rules.yaml', '''
- macro: some
  condition: lines.length > 0
- list: quiet
  items: [hello]
- rule: r
  desc: d
  condition: some
  output: "%lines.number"
  priority: INFO
  source: lines
  exceptions:
    - name: x
      fields: [lines.text]
      comps: [in]
      values: [[[quiet]]]
''')
    equal([x.split()[-1] for x in done(_lines('--rules', rules)).splitlines()], [b'1', b'2'])


def suggested_fields_are_appended_to_outputs():
    check(done(_wrong(rules=_rules('wrong.number = 1'))).splitlines()[0].endswith(b'x wrong_text=wrong'))


def required_versions_of_plugins_are_checked():
    rules = file('rules.yaml', '- required_plugin_versions: [{name: lines, version: 0.3.0}]\n')
    fails(_lines('--rules', rules), 1, "Plugin 'lines' version '0.2.0' is not compatible with required plugin version '0.3.0'")
    equal(saker('check', LINES_RULES).returncode, 1)
    done(saker('check', '--plugin', LINES, LINES_RULES))


def rules_of_an_unknown_source_are_left_out():
    r = saker('check', _rules('x.y = 1', source='nobody'))
    equal(r.returncode, 0, r.stdout)
    check(b'Unknown source nobody, skipping' in r.stdout, r.stdout)


def plugins_and_their_fields_are_listed():
    equal(done(saker('list', 'plugins', '--plugin', LINES)), b'lines 0.2.0: sources events, extracts fields\n')
    info = json.loads(done(saker('plugin', 'info', LINES, '--json')))['plugins'][0]
    equal((info['name'], info['id'], info['event_source'], info['api_version']), ('lines', 999, 'lines', '3.0.0'))
    check({'name': 'lines.words', 'type': 'CHARBUF', 'desc': 'Its words.', 'is_list': True} in info['fields'], info)
    check(b'event source   lines' in done(saker('plugin', 'info', LINES)))
    check(b'lines.word ' in done(saker('list', 'fields', '--plugin', LINES)))
    classes = json.loads(done(saker('list', 'fields', '--json', '--plugin', LINES)))['fieldclasses']
    equal([c['event_sources'] for c in classes if c['name'] == 'lines (plugin)'], [['lines']])
    equal(done(saker('list', 'plugins')), b'')
    fails(saker('plugin', 'inform', LINES), 2, "'info' is wanted")


def what_names_nothing_is_refused():
    fails(saker('run', '--plugin', '/nonexistent.so'), 1, '/nonexistent.so')
    fails(saker('run', '--plugin', file('text.so', 'no library')), 1, 'text.so')
    fails(_lines('--rules', LINES_RULES, '--disable-source', 'nobody'), 2, "there is no event source 'nobody'")
    fails(_lines('--rules', LINES_RULES, '--disable-source', 'lines'), 2, 'no event source is left')
    fails(saker('run', '--disable-source', 'syscall', '--plugin', LINES, '--open-params', 'x=y'), 2,
          "--open-params 'x=y' is of no plugin")
    fails(saker('run', '--disable-source', 'syscall', '--plugin', LINES, '--open-params', 'lines=/nonexistent', '--rules',
                LINES_RULES), 1, "plugin 'lines': can't open event source 'lines': cannot open '/nonexistent'")


def a_plugin_is_loaded_once():
    fails(saker('list', 'plugins', '--plugin', LINES, '--plugin', LINES), 1, 'a plugin of this name is loaded already')


def _capture(records):
    head = scapfile.section() + scapfile.machine()
    return file('plugin.scap', head + b''.join(scapfile.event(r, kind=0x221) for r in records))


def _plugin_record(ts, plugin_id, data):
    lengths = struct.pack('<II', 4, len(data))
    return struct.pack('<QQIHI', ts, 2**64 - 1, 38 + len(data), 322, 2) + lengths + struct.pack('<I', plugin_id) + data


def _line_record(ts, number, text):
    return _plugin_record(ts, 999, struct.pack('<QQ', number, ts) + text)


def a_capture_of_plugin_events_is_replayed_with_the_plugin():
    path = _capture([_line_record(1700000000000000000, 7, b'Failed password user=eve from 10.9.9.9'),
                     _line_record(1700000000000000001, 8, b'other'), _plugin_record(1700000000000000002, 5, b'x')])
    alerts = _outputs(saker('replay', path, '--plugin', LINES, '--rules', LINES_RULES, '--json'))
    equal([(a['source'], a['output_fields']['lines.value[user]'], a['time']) for a in alerts],
          [('lines', 'eve', '2023-11-14T22:13:20.000000000Z')])
    without = saker('replay', path, '--rules', _rules('evt.num >= 1', source='syscall'))
    equal(done(without), b'')


def events_too_short_for_the_plugin_give_no_values():
    path = _capture([_plugin_record(1, 999, b''), _plugin_record(2, 999, b'xyz'), _line_record(3, 1, b'')])
    rules = _rules('not lines.text exists', '%evt.num %lines.text', 'lines')
    equal([x.split()[-2:] for x in done(saker('replay', path, '--plugin', LINES, '--rules', rules)).splitlines()],
          [[b'1', b'<NA>'], [b'2', b'<NA>']])


LOADING = {
    'api null': 'plugin_get_required_api_version returned no text',
    'api text': "invalid required API version: 'three'",
    'api major': "required API version '4.0.0' not compatible with the framework's API version '3.12.0': major versions disagree",
    'api minor': "framework's minor is less than the requested one",
    'api patch': "framework's patch is less than the requested one",
    'name null': 'plugin_get_name returned no text',
    'name empty': 'plugin_get_name returned no name',
    'description null': "plugin 'wrong': plugin_get_description returned no text",
    'version': "plugin 'wrong': plugin provided an invalid version string: '1.2'",
    'id': "plugin 'wrong': broken plugin capabilities: an id needs an event source",
    'source null': "plugin 'wrong': plugin_get_event_source returned no text",
    'source syscall': "plugin 'wrong': plugin can't implement the reserved event source 'syscall'",
    'schema kind': "plugin 'wrong': its configuration has a schema of an unknown kind",
    'schema': "plugin 'wrong': init config: the schema is not a valid json",
    'fields null': "plugin 'wrong': plugin_get_fields returned no text",
    'fields text': "plugin 'wrong': plugin_get_fields returned no JSON: line 1",
    'fields object': "plugin 'wrong': plugin_get_fields returned no JSON array",
    'fields none': 'plugins with extraction capability must export at least one field',
    'field type': "plugin_get_fields, number 0: field 'wrong.x': its type is 'double'",
    'field name': "'wrong x' is no name for a field",
    'field desc': "it has no 'desc'",
    'field arg': 'its argument is required, but is neither index nor key',
    'field twice': "field 'wrong.x' is there already",
    'field taken': "field 'evt.num' is there already in the event source 'wrong'",
    'init fails': "plugin 'wrong': could not initialize plugin: on purpose",
    'init null': "plugin 'wrong': could not initialize plugin: plugin_init gave no state",
}


def what_is_wrong_with_a_plugin_is_told_when_it_is_loaded():
    for what, say in LOADING.items():
        r = saker('list', 'plugins', '--plugin', WRONG, env={'WRONG': what})
        fails(r, 1, say)
        equal(r.stdout, b'', what)


def missing_symbols_are_named():
    fails(saker('list', 'plugins', '--plugin', NAMELESS), 1, "required symbol not implemented: 'plugin_get_name'")
    libc = next((x for x in ('/lib/x86_64-linux-gnu/libz.so.1', '/lib/aarch64-linux-gnu/libz.so.1') if os.path.exists(x)), None)
    if libc:
        fails(saker('list', 'plugins', '--plugin', libc), 1, "required symbol not implemented: 'plugin_get_required_api_version'")
    equal(done(saker('list', 'plugins', '--plugin', MUTE)), b'wrong 1.2.3: extracts fields\n')


RUNNING = {
    'open fails': "plugin 'wrong': can't open event source 'wrong': on purpose",
    'batch fails': "plugin 'wrong': plugin_next_batch failed: on purpose",
    'batch code': "plugin 'wrong': plugin_next_batch failed: on purpose",
    'batch empty': "plugin 'wrong': plugin_next_batch gave success but no event",
    'batch null': "plugin 'wrong': plugin_next_batch gave 10 events",
    'batch many': "plugin 'wrong': plugin_next_batch gave 4294967295 events",
    'event null': "plugin 'wrong': an event of 0 bytes",
    'event short': "plugin 'wrong': an event of 12 bytes",
    'event long': "plugin 'wrong': an event of 4294967295 bytes",
    'event type': "plugin 'wrong': an event of type 3",
    'event params': "plugin 'wrong': an event of type 322 with 1000000 parameters",
    'event lengths': "plugin 'wrong': an event of 98 bytes with parameters of 4 and 4294967295 bytes",
    'event id': "plugin 'wrong': an event of plugin 1, but it is plugin 4242",
}


def what_is_wrong_with_events_ends_the_source():
    for what, say in RUNNING.items():
        r = _wrong(what)
        fails(r, 1, say)
        equal(r.stdout, b'', what)


def events_that_come_with_a_failure_count():
    r = _wrong('batch ends')
    fails(r, 1, 'plugin_next_batch failed: on purpose')
    equal(len(r.stdout.splitlines()), 10)


def values_that_are_none_are_no_values():
    for what in ('values none', 'values null', 'value null', 'extract fails'):
        equal(done(_wrong(what, rules=_rules('wrong.text exists or wrong.ip exists'))), b'', what)
    equal(done(_wrong('value length', rules=_rules('wrong.ip exists or wrong.net exists'))), b'')
    rules = _rules('wrong.texts intersects (three)', '%wrong.texts')
    check(done(_wrong('value null', rules=rules)).splitlines()[0].endswith(b'(one,three) wrong_text=<NA>'))


def a_plugin_without_words_for_its_error_is_still_named():
    r = saker('list', 'plugins', '--plugin', WRONG, env={'WRONG': 'error null'})
    done(r)
    check(b'saker: plugin wrong: it begins\n' in r.stderr, r.stderr)


def too_many_messages_are_counted():
    r = saker('list', 'plugins', '--plugin', WRONG, env={'WRONG': 'log floods'})
    check(b'messages of plugins were too many' in r.stderr, r.stderr)
    check(len(r.stderr.splitlines()) < 100, len(r.stderr.splitlines()))


def a_crash_is_told_by_the_plugins_name():
    for what, function, command in (('init crashes', 'init', 'list'), ('init aborts', 'init', 'list'),
                                    ('batch crashes', 'next_batch', 'run'), ('extract crashes', 'extract_fields', 'run')):
        r = saker('list', 'plugins', '--plugin', WRONG, env={'WRONG': what}) if command == 'list' else _wrong(what)
        check(r.returncode != 0 if SANITIZED else r.returncode < 0, r)
        check(f"saker: plugin 'wrong' crashed in plugin_{function}\n".encode() in r.stderr, what, r.stderr)


def a_plugin_that_does_not_come_back_is_left_alone():
    start = time.monotonic()
    fails(_wrong('batch hangs', '--duration', '1'), 1, "plugin 'wrong' does not come back from plugin_next_batch")
    check(time.monotonic() - start < 30)


def a_plugin_in_a_process_of_its_own_gives_the_same():
    alone = ('-o', 'saker.plugins.isolated=[lines]')
    got, want = (done(_lines('--rules', LINES_RULES, *o)).splitlines() for o in (alone, ()))
    equal([x.split(b' ', 1)[1] for x in got], [x.split(b' ', 1)[1] for x in want])
    rules = _rules('wrong.text = wrong and wrong.ip = 10.0.0.1 and wrong.bool = true and wrong.number = 1',
                   '%wrong.texts %wrong.numbers %wrong.net %wrong.any[3] %wrong.any[k]')
    all_ = ('-o', 'saker.plugins.isolated=[wrong]', '--json')
    equal(len(_outputs(_wrong('', *all_, rules=rules))), 10)
    with_it, without = _outputs(_wrong('', *all_, rules=rules)), _outputs(_wrong('', '--json', rules=rules))
    for a, b in zip(with_it, without):
        equal({k: v for k, v in a['output_fields'].items() if k != 'evt.time'},
              {k: v for k, v in b['output_fields'].items() if k != 'evt.time'})


def a_plugin_in_a_process_of_its_own_that_lies_is_refused():
    alone = ('-o', "saker.plugins.isolated=['*']")
    for what, say in (('fields none', 'at least one field'), ('source syscall', 'reserved')):
        fails(_wrong(what, *alone), 1, say)
    fails(saker('run', '--disable-source', 'syscall', *alone, '--plugin', f'{FOLDER}/examples/plugins/libcensus.so', '--rules',
                LINES_RULES), 1, 'in a process of its own')


run(globals())
