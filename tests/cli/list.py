# SPDX-License-Identifier: Apache-2.0
import json
import re

from tap import check, done, equal, file, run, saker, SOURCE

RULES = file('rules.yaml', '''
- list: some
  items: [a, "b|c"]
- list: more
  items: [x, some]
- macro: m
  condition: evt.type = open and proc.name in (some)
- rule: On
  desc: is on
  condition: evt.type = open and m
  output: x %proc.name
  priority: INFO
  tags: [b, a]
  exceptions:
    - {name: one, fields: proc.name, values: [z]}
    - {name: two, fields: [proc.name, fd.name], comps: [=, =], values: [[z, /y]]}
- rule: Off
  desc: is off
  condition: evt.type = open
  output: x
  priority: INFO
  enabled: false
''')


def _json(*args):
    return json.loads(done(saker('list', *args, '--json')))


def fields_have_classes_names_types_and_help():
    classes = _json('fields')['fieldclasses']
    fields = {f['name']: f for c in classes for f in c['fields']}
    check(len(fields) > 240, len(fields))
    for f in fields.values():
        equal(sorted(f), ['argument', 'desc', 'is_list', 'name', 'type'])
        check(f['desc'] and f['type'], f)
    equal(fields['proc.aname']['argument'], {'required': False, 'type': ['INDEX']})
    equal(fields['evt.num']['argument'], None)
    equal([(c['name'], len(c['fields']), c['event_sources']) for c in classes],
          [(name, n, ['syscall']) for name, n in
           (('evt', 18), ('evt', 36), ('process', 87), ('user', 6), ('group', 2), ('fd', 46), ('fs.path', 6),
            ('fdlist', 6), ('container (plugin container)', 61), ('k8smeta (plugin k8smeta)', 25), ('saker', 18))])
    for c in classes:
        equal(sorted(c), ['desc', 'event_sources', 'fields', 'name'])
        check(c['desc'], c['name'])


def fields_are_listed_as_text_and_markdown():
    text, table = done(saker('list', 'fields')).decode(), done(saker('list', 'fields', '--markdown')).decode()
    check('\nproc.name  ' in text and 'Field Class:' in text)
    check('\n`proc.name` | CHARBUF | ' in table and '## Field Class: process' in table)
    check(all(len(line) <= 120 for line in text.splitlines()))
    typed = done(saker('list', 'fields', '--verbose')).decode()
    check(re.search(r'\nproc.name +Name of ', text) and re.search(r'\nproc.name +\(CHARBUF\) Name of ', typed))
    check(re.search(r'\nproc.aname +\(ARG_ALLOWED,ARG_INDEX\) ', text))
    check(re.search(r'\nfd.ip +\(IPADDR,FILTER_ONLY\) ', typed))


def reference_pages_are_what_the_tables_say():
    for what in ('fields', 'events', 'syscalls', 'config'):
        with open(f'{SOURCE}/docs/reference/{what}.md', 'rb') as f:
            page = f.read()
        check(page.endswith(done(saker('list', what, '--markdown'))), what, 'differs: run `make docs`')


def events_have_parameters():
    events = {(e['name'], e['dir']): e for e in _json('events')['events']}
    equal([p['name'] for p in events['openat', '<']['parameters']][:3], ['fd', 'dirfd', 'name'])
    check(b'< openat(FD fd, FD dirfd, ' in done(saker('list', 'events')))


def syscalls_have_numbers():
    calls = {c['name']: c for c in _json('syscalls')['syscalls']}
    equal((calls['openat']['x86_64'], calls['openat']['aarch64'], calls['openat']['generic']), (257, 56, False))
    check(len(calls) > 400)


def rules_macros_and_lists_come_from_the_files_given():
    text = done(saker('list', 'rules', '--rules', RULES)).decode()
    check('Informational On  [a, b]\n' in text and '(disabled) Off\n' in text, text)
    equal(done(saker('list', 'lists', '--rules', RULES)), b'some: a, b|c\nmore: x, a, b|c\n')
    for what in ('rules', 'macros', 'lists'):
        table = done(saker('list', what, '--rules', RULES, '--markdown')).decode().splitlines()
        equal(len({line.replace('\\|', '').count('|') for line in table}), 1, table)


def rules_are_described_with_what_they_are_made_of():
    on, off = _json('rules', '--rules', RULES)['rules']
    equal(on['info'], {'name': 'On', 'condition': 'evt.type = open and m', 'priority': 'Informational',
                       'output': 'x %proc.name', 'description': 'is on', 'enabled': True, 'source': 'syscall',
                       'capture': False, 'capture_duration': 0, 'tags': ['a', 'b']})
    details = on['details']
    equal({k: details[k] for k in ('macros', 'lists', 'condition_fields', 'condition_operators', 'events')},
          {'macros': ['m'], 'lists': [], 'condition_fields': ['evt.type'], 'condition_operators': ['='],
           'events': ['open']})
    equal((details['exception_names'], details['exception_fields'], details['exception_operators']),
          (['one', 'two'], ['fd.name', 'proc.name'], ['=', 'in']))
    equal((details['output_fields'], details['plugins']), (['proc.name'], []))
    check('proc.name in (a, ' in details['condition_compiled'], details)
    check(details['output_compiled'].startswith('x %proc.name container_id=%container.id'), details)
    equal((off['info']['enabled'], off['details']['exception_names']), (False, []))


def macros_and_lists_are_described_too():
    macro, = _json('macros', '--rules', RULES)['macros']
    equal(macro['info'], {'name': 'm', 'condition': 'evt.type = open and proc.name in (some)'})
    equal((macro['details']['used'], macro['details']['lists'], macro['details']['condition_fields'],
           macro['details']['events']), (True, ['some'], ['evt.type', 'proc.name'], ['open']))
    some, more = _json('lists', '--rules', RULES)['lists']
    equal(some, {'info': {'name': 'some', 'items': ['a', 'b|c']},
                 'details': {'used': True, 'lists': [], 'items_compiled': ['a', 'b|c'], 'plugins': []}})
    equal(more, {'info': {'name': 'more', 'items': ['x', 'some']},
                 'details': {'used': False, 'lists': ['some'], 'items_compiled': ['x', 'a', 'b|c'], 'plugins': []}})


def bundled_rules_are_listed_without_files():
    check(len(_json('rules')['rules']) >= 30)


def every_bundled_rule_has_attack_tags_and_a_place_for_exceptions():
    rules = json.loads(done(saker('list', 'rules', '--json')))['rules']
    check(len(rules) >= 30, len(rules))
    for rule in rules:
        name, tags = rule['info']['name'], rule['info']['tags']
        check(any(re.fullmatch(r'T\d{4}(\.\d{3})?', t) for t in tags), name, 'names no technique', tags)
        check(any(t.startswith('mitre_') for t in tags), name, 'names no tactic', tags)
        check(rule['details']['exception_names'], name, 'has no exceptions')


run(globals())
