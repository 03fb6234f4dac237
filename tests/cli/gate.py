# SPDX-License-Identifier: Apache-2.0
import os
import random
import re

from tap import SOURCE, capture, check, done, equal, fails, file, run, saker

BUNDLED = f'{SOURCE}/rules/saker_rules.yaml'
CAPTURES = ['files', 'network', 'processes', 'containers', 'enter-era', 'work', 'attacks', 'inside-attacks', 'inside-work',
            'engine-attacks', 'packages-work']


def _rule(name, condition):
    return f'- rule: {name}\n  desc: d\n  condition: {condition}\n  output: x\n  priority: INFO\n'


RULES = file('rules.yaml', _rule('Secrets', 'evt.type = openat and evt.is_open_read = true and fd.name startswith /etc/sh '
                                            'and not proc.name in (sshd, login)')
             + _rule('Any rename', 'evt.type in (rename, renameat2) and evt.arg.flags glob x*')
             + _rule('Kills', 'evt.type = kill and container.id != host'))


def what_must_be_true_is_shown_by_type_with_the_rules():
    out = done(saker('gate', '--print', RULES)).decode()
    check(re.search(r'\nopenat\n    not process\(\d\) and evt.is_open_read = true and fd.name startswith /etc/sh\n', out), out)
    check('      for Secrets\n' in out, out)
    check('renameat2\n    always\n      for Any rename\n' in out, out)
    check(re.search(r'^kill\n    container\(\d\)\n      for Kills\n', out), out)
    check(re.search(r'process\(\d\)\n    proc.name in \(sshd, login\)\n', out), out)
    check(re.search(r'container\(\d\)\n    (not )?container.id (!=|=) host\n', out), out)
    equal(done(saker('gate', RULES)).decode(), out)


def the_bundled_rules_are_taken_when_none_are_given():
    equal(done(saker('gate')), done(saker('gate', BUNDLED)))


def a_capture_shows_what_would_be_cut_and_why_the_rest_passes():
    out = done(saker('gate', '--stats', capture('files.scap.gz'), RULES)).decode()
    check(re.search(r'\nopenat +\d+ +[1-9]\d* +\d+\.\d%', out), out)
    check(re.search(r'\nall +\d+ +\d+ +\d+\.\d%\n', out), out)
    for word in ('result', 'flags', 'path', 'text', 'number', 'process', 'container', 'ancestors'):
        check(re.search(rf'\n{word} +\d+ +\d+\n', out), word, out)


def of_no_recording_an_event_is_cut_that_the_bundled_rules_need():
    for name in CAPTURES:
        path = capture(name + '.scap.gz')
        check(os.path.exists(path), path)
        done(saker('gate', '--stats', path, BUNDLED))


def _conditions():
    """Those of the bundled rules and macros, as one line each."""
    with open(BUNDLED) as f:
        text = f.read()
    found = re.findall(r'^- (?:rule|macro): .*\n(?:  (?!condition).*\n)*  condition: ((?:.*\n)(?:    +.*\n)*)', text, re.M)
    return [' '.join(x.lstrip('>').split()) for x in found]


def _macros():
    """The bundled lists and macros alone."""
    with open(BUNDLED) as f:
        items = re.split(r'\n(?=- )', f.read())
    return '\n'.join(x for x in items if x.startswith(('- list', '- macro'))) + '\n'


def _mutant(words, conditions):
    """Conditions joined, negated, and with their parts in other places."""
    parts = []
    for _ in range(words.randint(1, 4)):
        pieces = re.split(r' (and|or) ', words.choice(conditions))
        one = words.choice(conditions) if words.random() < 0.5 or len(pieces) < 3 else words.choice(pieces[::2])
        if one.count('(') != one.count(')') or not one.strip():
            one = words.choice(conditions)
        parts.append(('not ' if words.random() < 0.3 else '') + f'({one})')
    return words.choice([' and ', ' or ', ' and not ']).join(parts)


def nor_one_that_random_changes_of_them_need():
    words = random.Random(7)
    conditions = _conditions()
    check(len(conditions) > 60, len(conditions))
    n_cut = 0
    for i in range(60):
        more = ''.join(_rule(f'Mutant {k}', f'>\n    {_mutant(words, conditions)}') for k in range(1 + i % 4))
        rules = file(f'mutants-{i}.yaml', _macros() + more)
        name = CAPTURES[i % len(CAPTURES)]
        out = done(saker('gate', '--stats', capture(name + '.scap.gz'), rules)).decode()
        n_cut += int(re.search(r'\nall +\d+ +(\d+)', out)[1])
    check(n_cut, 'nothing was cut at all')


def mistakes_of_the_caller_are_named():
    fails(saker('gate', '--stats', '/nonexistent', RULES), 1, '/nonexistent')
    fails(saker('gate', '/nonexistent.yaml'), 1, '/nonexistent.yaml')
    fails(saker('gate', '--nosuch'), 2, 'nosuch')


run(globals())
