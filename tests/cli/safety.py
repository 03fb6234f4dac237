#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names and texts from rule files and command lines reach the terminal as one clean line each."""
import json
import os

import tap
from tap import capture, check, done, equal, fails, file, saker

_RULES = r'''
- list: "l\e[31mi"
  items: ["x\e[1m"]
- macro: "m\e[31ma"
  condition: evt.type = openat
- rule: "a\e[31mred\nrule"
  desc: "d\e[31m\nd"
  condition: evt.type = openat
  output: "one\ntwo\e[1m\tthree %len(fd.nameraw) %proc.name"
  priority: INFO
  tags: ["t\e[31m"]
'''
_PATH = file('rules\x1b[31m.yaml', _RULES)
_NAME = 'a\x1b[31mred\nrule'
_CAPTURE = capture('containers.scap.gz')


def _clean(run):
    for text in (run.stdout, run.stderr):
        check(not any(c < 32 and c not in b'\n\t' for c in text), text[:400])
    return run


def no_listing_of_rules_has_control_characters():
    for noun in ('rules', 'macros', 'lists'):
        for form in ((), ('--markdown',), ('--json',), ('--verbose',)):
            equal(_clean(saker('list', noun, '--rules', _PATH, *form)).returncode, 0)
    equal(len(done(saker('list', 'rules', '--rules', _PATH)).strip().split(b'\n')), 1)


def no_verdict_has_control_characters():
    _clean(saker('check', _PATH))
    broken = file('broken\x1b.yaml', _RULES.replace('evt.type = openat', 'evt.tipe = "\\e[31m"'))
    equal(_clean(saker('check', broken)).returncode, 1)
    equal(_clean(saker('check', file('noise.yaml', bytes(range(256))))).returncode, 1)


def no_explanation_has_control_characters():
    equal(_clean(saker('explain', _CAPTURE, '--rule', _NAME, '--rules', _PATH)).returncode, 0)
    fails(_clean(saker('explain', _CAPTURE, '--rule', _NAME + '2', '--rules', _PATH)), 1)


def a_rules_own_text_is_printed_as_it_is():
    text = done(saker('replay', _CAPTURE, '--rules', _PATH)).decode()
    check(': Informational one\ntwo\x1b[1m\tthree ' in text, text[:300])


def an_alert_as_json_keeps_the_rules_text():
    first = json.loads(done(saker('replay', _CAPTURE, '--rules', _PATH, '--json')).split(b'\n')[0])
    check('one\ntwo\x1b[1m\tthree ' in first['output'], first)


def the_length_of_nothing_is_nothing():
    out = done(saker('print', _CAPTURE, '--filter', 'not fd.name exists', '--format', '%len(fd.name)', '--max', '1'))
    equal(out, b'<NA>\n')


def rule_files_may_be_utf16():
    text = '- rule: rüle\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: %s\n'
    for code, mark in (('utf-16-le', b'\xff\xfe'), ('utf-16-be', b'\xfe\xff')):
        path = file('utf16.yaml', mark + (text % 'INFO').encode(code))
        check('rüle' in done(saker('list', 'rules', '--rules', path)).decode())
        r = saker('check', file('bad16.yaml', mark + (text % 'NOPE').encode(code)))
        equal((r.returncode, 'bad16.yaml:5:13: ' in r.stdout.decode()), (1, True), r.stdout)
        equal(saker('check', file('half.yaml', mark + text.encode(code)[:-3] + b'\xd8')).returncode, 1)


def tags_and_names_that_choose_nothing_are_told():
    run = saker('replay', _CAPTURE, '--tags', 'nosuch', '--disable', 'x*')
    equal((run.returncode, run.stdout), (0, b''))
    for text in ("no rule has tag 'nosuch'", "--disable 'x*' matches no rule", 'no rule is left to evaluate'):
        check(text.encode() in run.stderr, run.stderr)


def empty_values_are_refused():
    for option in ('--tags', '--disable', '--rules'):
        fails(saker('replay', _CAPTURE, option, ''), 2, f'{option}: its value is empty')
    fails(saker('print', ''), 2, 'an argument is empty')


def messages_name_what_is_missing():
    fails(saker('replay'), 2, 'replay: FILE is missing')
    fails(saker('check'), 2, 'check: FILE is missing')
    fails(saker('replay', _CAPTURE, '--priority', 'WARN'), 2, "'WARN'", 'warning')


def rules_come_from_folders_and_standard_input():
    folder = os.path.join(tap.TMP, 'folder')
    os.mkdir(folder)
    fails(saker('check', folder), 1, 'no *.yaml')
    file('folder/b.yml', '- rule: r\n  append: true\n  condition: and proc.name = x\n')
    file('folder/a.yaml', '- rule: r\n  desc: d\n  condition: evt.type = open\n  output: o\n  priority: INFO\n')
    file('folder/c.txt', 'no rules')
    equal(done(saker('check', folder)).count(b': Ok'), 2)
    done(saker('replay', _CAPTURE, '--rules', folder))
    equal(done(saker('check', '-', stdin=b'- macro: m\n  condition: evt.type = open\n'))[:11], b'/dev/stdin:')


def a_verdict_as_json_is_a_line():
    check(done(saker('check', '--json', file('one.yaml', '- list: l\n  items: [a]\n'))).endswith(b'}\n'))


def the_bundled_rules_are_beside_the_program():
    program = os.path.join(tap.TMP, 'bin', 'saker')
    shared = os.path.join(tap.TMP, 'share', 'saker', 'rules')
    os.mkdir(os.path.dirname(program))
    with open(tap.SAKER, 'rb') as f:
        file('bin/saker', f.read())
    os.chmod(program, 0o755)
    run = tap.subprocess.run([program, 'list', 'rules'], capture_output=True)
    fails(run, 1, 'SAKER_RULES_DIR')
    os.makedirs(shared)
    file('share/saker/rules/saker_rules.yaml', '- rule: mine\n  desc: d\n  condition: evt.type = open\n'
         '  output: o\n  priority: INFO\n')
    for where in (dict(os.environ), {**os.environ, 'SAKER_RULES_DIR': shared}):
        run = tap.subprocess.run([program, 'list', 'rules'], capture_output=True, env=where)
        check(b'mine' in run.stdout, run)


tap.run(globals())
