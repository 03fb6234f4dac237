# SPDX-License-Identifier: Apache-2.0
from tap import capture, check, done, equal, fails, run, saker

COMMANDS = ['replay', 'print', 'check', 'list', 'explain']


def version_is_one_line_on_standard_output():
    out = done(saker('--version'))
    check(out.startswith(b'saker 0.'), out)
    equal(out.count(b'\n'), 1)


def help_names_every_command():
    for args in (['--help'], ['-h'], ['help']):
        out = done(saker(*args)).decode()
        for c in COMMANDS:
            check(f'\n  {c} ' in out, c, out)


def each_command_explains_itself():
    for c in COMMANDS:
        by_option = done(saker(c, '--help'))
        equal(done(saker('help', c)), by_option)
        check(by_option.startswith(f'usage: saker {c} '.encode()), by_option)


def no_command_is_a_usage_error():
    fails(saker(), 2, 'command is missing')


def an_unknown_command_suggests_the_nearest():
    fails(saker('prnit'), 2, "unknown command 'prnit'", "did you mean 'print'")
    fails(saker('help', 'lst'), 2, "did you mean 'list'")
    fails(saker('zzzzzz'), 2, 'saker help')


def an_unknown_option_suggests_the_nearest():
    fails(saker('print', '--fromat', 'x', capture('files.scap.gz')), 2, "'--fromat'", "'--format'")
    fails(saker('replay', '--al', capture('files.scap.gz')), 2, "'--all-matches'")
    fails(saker('replay', '-Q', capture('files.scap.gz')), 2, "'-Q'")
    fails(saker('--frobnicate'), 2, "'--frobnicate'")


def a_missing_argument_or_value_is_a_usage_error():
    for c in COMMANDS:
        fails(saker(c), 2, 'is missing', f"see 'saker help {c}'")
    fails(saker('print', capture('files.scap.gz'), '--format'), 2, '--format')
    fails(saker('explain', capture('files.scap.gz')), 2, '--event', '--rule')


def a_usage_error_is_one_short_line():
    p = saker('run', '--frobnicate')
    equal((p.returncode, p.stderr.count(b'\n')), (2, 1))
    check(len(p.stderr) <= 80, p.stderr)


def a_letter_means_one_option_in_every_command():
    named = {}
    for c in [*COMMANDS, 'run', 'record', 'containers', 'doctor', 'config']:
        for line in done(saker('help', c)).decode().splitlines():
            words = line.split()
            if words and len(words[0]) == 3 and words[0][0] == '-' and words[0][2] == ',':
                equal(named.setdefault(words[0], words[1]), words[1], c)


def too_many_arguments_are_a_usage_error():
    fails(saker('help', 'run', 'extra'), 2, 'too many')
    fails(saker('print', 'a', 'b'), 2, 'too many')


def a_command_stands_behind_two_dashes_and_is_never_the_file():
    fails(saker('record', '--', 'true'), 2, 'record')
    fails(saker('record', '-d', '1', '--', '/bin/true', 'x'), 2, 'record')
    fails(saker('record', 'x.scap', 'true'), 2, "a command stands behind '--'")
    fails(saker('record', 'x.scap', '--'), 2, "a command is missing behind '--'")


def options_that_mean_nothing_together_are_usage_errors():
    fails(saker('list', 'fields', '--json', '--markdown'), 2, 'exclude')
    fails(saker('list', 'fields', '--rules', 'x'), 2, '--rules')
    fails(saker('print', capture('files.scap.gz'), '-w', 'x', '--keep-state'), 2, '--filter')
    fails(saker('record', 'x', '--rules', 'x'), 2, '--filter')
    fails(saker('run', '--no-runtimes', '--runtime-socket', 'docker=/x'), 2, 'contradict')
    fails(saker('run', '--all-syscalls', '--repair-syscalls'), 2, 'nothing to choose')


def values_that_cannot_be_are_usage_errors():
    fails(saker('print', capture('files.scap.gz'), '--max', 'ten'), 2, '--max', 'ten')
    fails(saker('print', capture('files.scap.gz'), '--max=-1'), 2, '--max')
    fails(saker('print', capture('files.scap.gz'), '--count=3'), 2, '--count')
    for value in ('0', '1T', 'K', '99999999999G', ''):
        fails(saker('replay', capture('files.scap.gz'), '--max-memory', value), 2, '--max-memory')
    done(saker('print', capture('files.scap.gz'), '--max-memory', '64M', '--max-threads=1K'))
    fails(saker('record', '/dev/null', '--'), 2, "behind '--'")
    fails(saker('record', '/dev/null', '--snaplen', '16385'), 2, '--snaplen', '16384')
    for ports in ('', '0', '65536', '5-4', '1-', '-1', 'http', '1-2-3'):
        fails(saker('record', '/dev/null', '--dynamic-snaplen', f'--full-ports={ports}'), 2, 'A-B', f"'{ports}'")
    fails(saker('run', '--full-ports', '80'), 2, '--full-ports wants --dynamic-snaplen')
    fails(saker('run', '--statsd-port', '80'), 2, '--statsd-port wants --dynamic-snaplen')
    fails(saker('run', '--dynamic-snaplen', '--statsd-port', '65536'), 2, '65535')
    fails(saker('replay', capture('files.scap.gz'), '--priority', 'loud'), 2, 'loud')
    fails(saker('list', 'feilds'), 2, "did you mean 'fields'")


def options_stand_anywhere_and_take_their_value_in_any_form():
    want = done(saker('print', capture('files.scap.gz'), '--max', '3', '--format', '%evt.num'))
    equal(want.count(b'\n'), 3)
    f = capture('files.scap.gz')
    for args in (['--max=3', '--format=%evt.num', f], ['-n3', f, '-p%evt.num'], ['-n', '3', '-p', '%evt.num', '--', f]):
        equal(done(saker('print', *args)), want, args)


run(globals())
