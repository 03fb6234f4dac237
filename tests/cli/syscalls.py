# SPDX-License-Identifier: Apache-2.0
"""saker run --print-syscalls: what would be watched, and why; the options that change it."""
import json

from tap import check, done, equal, fails, file, run, saker

RULES = '''
- rule: Opened
  desc: d
  condition: evt.type in (openat, ptrace)
  output: '%fd.name %user.name'
  priority: INFO
- rule: Listened
  desc: d
  condition: evt.type in (read, listen, syslog)
  output: o
  priority: INFO
'''


def _print(*args):
    return saker('run', '--print-syscalls', '-r', file('rules.yaml', RULES), *args)


def _set(*args):
    return {x['name']: x for x in json.loads(done(_print('--json', *args)))['syscalls']}


def each_call_says_why():
    got = _set()
    equal(got['openat'], {'name': 'openat', 'watched': True, 'why': ['state'], 'rules': ['Opened']})
    equal(got['ptrace'], {'name': 'ptrace', 'watched': True, 'why': [], 'rules': ['Opened']})
    equal(got['syslog']['rules'], ['Listened'])
    equal(got['close'], {'name': 'close', 'watched': True, 'why': ['state'], 'rules': []})
    equal(got['sched_process_exit']['why'], ['state', 'always'])
    check('write' not in got and 'mmap' not in got)


def reads_are_left_out_until_asked_for():
    equal(_set()['read'], {'name': 'read', 'watched': False, 'why': [], 'rules': ['Listened']})
    check(_set('--all-syscalls')['read']['watched'])


def text_has_the_same():
    lines = {x.split()[0]: x for x in done(_print()).decode().splitlines()}
    equal(set(lines), set(_set()))
    equal(' '.join(lines['openat'].split()), 'openat state, rules: Opened')
    equal(' '.join(lines['read'].split()), 'read LEFT OUT rules: Listened')


def custom_and_repair_change_the_set():
    got = _set('--syscalls', 'execve, clone', '--syscalls', '!ptrace')
    equal({n for n, x in got.items() if x['watched']},
          {'execve', 'clone', 'openat', 'listen', 'syslog', 'sched_process_exit',
           'io_uring_setup'})
    equal(got['ptrace'], {'name': 'ptrace', 'watched': False, 'why': [], 'rules': ['Opened']})
    equal(got['execve']['why'], ['custom'])
    got = _set('--repair-syscalls')
    equal(got['bind']['why'], ['repair'])
    check('dup' not in got)


def without_types_a_rule_wants_all():
    rules = '- rule: Any\n  desc: d\n  condition: proc.name = x\n  output: o\n  priority: INFO\n'
    got = json.loads(done(saker('run', '--print-syscalls', '--json', '-r', file('any.yaml', rules))))['syscalls']
    check(len(got) > 350, len(got))
    check(all(x['rules'] == ['Any'] for x in got if x['name'] in ('getpid', 'openat', 'read')))


def what_no_rule_reads_of_state_is_not_watched():
    rules = '- rule: Ran\n  desc: d\n  condition: evt.type=execve and proc.name=x\n  output: %s\n  priority: INFO\n'

    def watched(output):
        path = file('ran.yaml', rules % output)
        return {x['name'] for x in json.loads(done(saker('run', '--print-syscalls', '--json', '-r', path)))['syscalls']}
    few = {'clone', 'clone3', 'execve', 'execveat', 'fork', 'vfork', 'prctl', 'setsid', 'sched_process_exit',
           'io_uring_setup'}
    equal(watched('"%proc.cmdline by %proc.pname"'), few)
    check(few | {'setuid'} <= watched('"%user.name"') and 'close' not in watched('"%user.name"'))
    check({'openat', 'close', 'chdir', 'dup'} <= watched('"%fd.name"'))


def what_cannot_be_is_refused():
    fails(_print('--syscalls', 'execve,opennat'), 2, "there is no system call 'opennat'; did you mean 'openat'?")
    for size in ('3M', '', '1', '4M,4M', '4M,4M,8M,1M', '4M,', '2048M', '99999999999999999999', 'M', '-4M'):
        fails(_print('--ring-size', size), 2, '--ring-size')


run(globals())
