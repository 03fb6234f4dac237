# SPDX-License-Identifier: Apache-2.0
import json
import re

from tap import check, done, equal, file, run, saker, SOURCE

RULES = file('rules.yaml', '''
- list: some
  items: [a, "b|c"]
- macro: m
  condition: proc.name in (some)
- rule: On
  desc: is on
  condition: evt.type = open and m
  output: x
  priority: INFO
  tags: [b, a]
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
            ('fdlist', 6), ('container (plugin container)', 61))])
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
    for what in ('fields', 'events', 'syscalls'):
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
    rules = _json('rules', '--rules', RULES)['rules']
    equal([(r['name'], r['enabled'], r['tags']) for r in rules], [('On', True, ['a', 'b']), ('Off', False, [])])
    equal([(m['name'], m['used']) for m in _json('macros', '--rules', RULES)['macros']], [('m', True)])
    lists = _json('lists', '--rules', RULES)['lists']
    equal([(x['name'], x['items'], x['used']) for x in lists], [('some', ['a', 'b|c'], True)])
    check(b'(disabled) Off' in done(saker('list', 'rules', '--rules', RULES)))
    for what in ('rules', 'macros', 'lists'):
        table = done(saker('list', what, '--rules', RULES, '--markdown')).decode().splitlines()
        equal(len({line.replace('\\|', '').count('|') for line in table}), 1, table)


def bundled_rules_are_listed_without_files():
    check(len(_json('rules')['rules']) >= 30)


run(globals())
