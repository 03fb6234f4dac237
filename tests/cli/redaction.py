# SPDX-License-Identifier: Apache-2.0
"""What must not be passed on: saker.redaction."""
import json
import os
import subprocess

from tap import SAKER, capture, check, done, equal, fails, file, run, saker

FILES = capture('files.scap.gz')
RULES = '''
- rule: Read
  desc: d
  condition: evt.type in (open, openat) and proc.cmdline contains "/etc/passwd" and proc.name = cat
  output: file %fd.name of %proc.cmdline with %toupper(proc.cmdline) %proc.args %proc.pid
  priority: WARNING
'''


def _replay(*options, form='-j', status=0):
    got = saker('replay', FILES, '-r', file('rules.yaml', RULES), form,
                *[a for o in (*options, 'append_output=[]') for a in ('-o', o)])
    equal(got.returncode, status, got.stderr)
    return got.stdout.decode()


def nothing_is_overwritten_unless_asked_for():
    check('cat /etc/passwd' in _replay())


def what_matches_is_overwritten_in_every_field_of_an_alert():
    for form in ('-j', '-a'):
        text = _replay('saker.redaction.patterns=["/etc/(\\\\S+)"]', form=form)
        check('passwd' not in text.lower() and 'hostname,' not in text, text)
        check('cat /etc/****** /etc/********' in text, text)
    a = json.loads(_replay('saker.redaction.patterns[]=passwd').splitlines()[0])
    equal(a['output_fields']['proc.cmdline'], 'cat /etc/****** /etc/hostname')
    check('TOUPPER' not in a['output'] and 'CAT /ETC/****** /ETC/HOSTNAME' in a['output'], a)


def conditions_see_what_was_there():
    equal(len(_replay('saker.redaction.patterns=[passwd]').splitlines()), len(_replay().splitlines()))


def numbers_and_times_stay():
    a, b = json.loads(_replay().splitlines()[0]), json.loads(_replay('saker.redaction.patterns=[.*]').splitlines()[0])
    equal((b['output_fields']['proc.pid'], b['time'], b['rule']), (a['output_fields']['proc.pid'], a['time'], a['rule']))
    equal(set(b['output_fields']['proc.cmdline']), {'*'})


def a_pattern_that_is_none_is_an_error():
    got = saker('replay', FILES, '-o', 'saker.redaction.patterns=[fine, "("]')
    fails(got, 1, 'saker.redaction.patterns', "'('")


def support_does_not_tell_it_either():
    rules = file('secret.yaml', '# TOKEN=abcdef\n' + RULES)
    config = file('secret-conf.yaml', f'rules_files: [{rules}]\nhttp_output: {{url: "http://u:TOKEN=abcdef@h"}}\n'
                  'saker: {redaction: {patterns: ["TOKEN=([a-z]+)"]}}\n')
    got = subprocess.run([SAKER, 'falco', '-c', config, '-o', 'http_output.user_agent=TOKEN=abcdef', '--support'],
                         capture_output=True, env=os.environ)
    said = json.loads(done(got))
    check('abcdef' not in json.dumps(said), said['cmdline'])
    check('TOKEN=******' in said['config'] and 'TOKEN=******' in said['cmdline'])
    check('TOKEN=******' in said['rules_files'][0]['variants'][0]['content'])


run(globals())
