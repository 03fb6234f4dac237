# SPDX-License-Identifier: Apache-2.0
"""saker run while its rules and configuration change: nothing is lost, and what is wrong changes nothing."""
import ctypes
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run, saker  # noqa: E402

MARKED = '''
- rule: Marked
  desc: each of these is counted
  condition: evt.type = munlockall
  output: marked pid=%proc.pid parent=%proc.ppid exe=%proc.exepath cwd=%proc.cwd generation {}
  priority: INFO
'''
RENAMED = '''
- rule: Renamed
  desc: nobody watched this before
  condition: evt.type in (rename, renameat, renameat2) and fs.path.target endswith saker-reload-target
  output: renamed %fs.path.target
  priority: INFO
'''
BROKEN = '''
- rule: Broken
  desc: has no end
  condition: evt.type = (
  output: never
  priority: INFO
'''
MUNLOCKALL = {'x86_64': 152, 'aarch64': 231}[os.uname().machine]
libc = ctypes.CDLL(None)


def _replace(path, text):
    """As editors do."""
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


def _until(is_so, seconds=60):
    end = time.time() + seconds * PATIENCE
    while time.time() < end:
        if is_so():
            return True
        time.sleep(0.02)
    return False


class _Watch:
    n = 0

    def __init__(self, *args):
        _Watch.n += 1
        self.out = open(file(f'r-out{_Watch.n}'), 'wb')
        self.err = open(file(f'r-err{_Watch.n}'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '--no-suggested-output', *args], stdout=self.out, stderr=self.err)
        check(_until(lambda: self.mark() and 'marked' in self.text()), self.said())

    @staticmethod
    def mark():
        libc.syscall(MUNLOCKALL)
        time.sleep(0.05)
        return True

    def text(self):
        with open(self.out.name) as f:
            return f.read()

    def said(self):
        with open(self.err.name) as f:
            return f.read()

    def until_said(self, text, n=1):
        check(_until(lambda: self.said().count(text) >= n or self.p.poll() is not None), self.said())
        equal(self.p.poll(), None, self.said())

    def until_generation(self, n):
        check(_until(lambda: self.mark() and f'generation {n}\n' in self.text()), self.said())

    def end(self):
        self.p.send_signal(signal.SIGINT)
        equal(self.p.wait(timeout=60 * PATIENCE), 0, self.said())
        check('refused the system call' not in self.said(), self.said())
        return self.said()


def rules_that_are_written_anew_are_in_force():
    rules = file('reload.yaml', MARKED.format(1))
    w = _Watch('-r', rules)
    with open(rules, 'w') as f:
        f.write(MARKED.format(2))
    w.until_generation(2)
    _replace(rules, MARKED.format(3))
    w.until_generation(3)
    said = w.end()
    check(re.search(r'\n\S*saker: +\S*reload\.yaml [0-9a-f]{64}\n', said), said)
    # The rule is the same one: its count goes on.
    n = len(w.text().splitlines())
    check(re.search(rf' {n}  Informational  Marked\n', said), (n, said))


def a_broken_file_changes_nothing_and_check_says_the_same():
    rules = file('broken.yaml', MARKED.format(1))
    w = _Watch('-r', rules)
    _replace(rules, MARKED.format(2) + BROKEN)
    equal(saker('check', rules).returncode, 1)
    w.until_said('reload: refused')
    before = w.text().count('generation 1\n')
    check(_until(lambda: w.mark() and w.text().count('generation 1\n') > before), w.said())
    _replace(rules, MARKED.format(3))
    w.until_generation(3)
    said = w.end()
    check('generation 2' not in w.text(), w.text())
    check('broken.yaml' in said and '1 reloads, 1 refused' in said, said)


def a_rule_gets_events_that_nobody_watched_before():
    rules = file('more.yaml', MARKED.format(1))
    w = _Watch('-r', rules)
    _replace(rules, MARKED.format(2) + RENAMED)
    w.until_generation(2)
    here, there = file('source', ''), os.path.join(TMP, 'saker-reload-target')
    os.rename(here, there)
    check(_until(lambda: 'renamed ' + there in w.text()), w.text()[-400:] + w.said())
    w.end()


def a_hangup_loads_again_and_keys_that_take_a_restart_are_named():
    rules = file('keys.yaml', MARKED.format(1))
    config = file('falco.yaml', f'watch_config_files: false\nrules_files: [{rules}]\n')
    w = _Watch('-c', config)
    _replace(config, f'watch_config_files: false\nrules_files: [{rules}]\ntime_format_iso_8601: true\n'
             'saker: {rings: {files: 1M}}\n')
    time.sleep(0.5)
    check('T' not in w.text().splitlines()[-1].split()[0])
    w.p.send_signal(signal.SIGHUP)
    check(_until(lambda: w.mark() and 'T' in w.text().splitlines()[-1].split()[0]), w.said())
    w.until_said('takes a restart')
    said = w.end()
    check('saker.rings.files' in said and 'iso_8601' not in said, said)


def a_config_map_that_is_turned_is_loaded():
    folder = os.path.join(TMP, 'map')
    for n in (1, 2):
        os.makedirs(f'{folder}/..{n}')
        with open(f'{folder}/..{n}/rules.yaml', 'w') as f:
            f.write(MARKED.format(n))
    os.symlink('..1', f'{folder}/..data')
    os.symlink('..data/rules.yaml', f'{folder}/rules.yaml')
    config = file('map.yaml', f'rules_files: [{folder}]\n')
    w = _Watch('-c', config)
    os.symlink('..2', f'{folder}/..tmp')
    os.rename(f'{folder}/..tmp', f'{folder}/..data')
    w.until_generation(2)
    w.end()


BURST = f'''
import ctypes, sys
call = ctypes.CDLL(None).syscall
n = 0
for line in sys.stdin:
    for _ in range(200):
        call({MUNLOCKALL})
    n += 200
print(n)
'''


def reloads_under_load_lose_nothing():
    """Two sets and a broken one, in turn, by signal, while events go on."""
    rules = file('load.yaml', MARKED.format(0))
    config = file('load-falco.yaml', f'watch_config_files: false\nrules_files: [{rules}]\n')
    w = _Watch('-c', config)
    burst = subprocess.Popen([sys.executable, '-c', BURST], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             cwd=TMP, text=True)
    turns = [(MARKED.format(1) + RENAMED, 'rules are in force'), (MARKED.format(2), 'rules are in force'),
             (MARKED.format(3) + BROKEN, 'reload: refused')]
    said = {}
    for i in range(int(os.environ.get('SAKER_RELOADS', 50))):
        text, answer = turns[i % len(turns)]
        _replace(rules, text)
        burst.stdin.write('go\n')
        burst.stdin.flush()
        w.p.send_signal(signal.SIGHUP)
        said[answer] = said.get(answer, 0) + 1
        w.until_said(answer, said[answer])
    made = int(burst.communicate(timeout=60 * PATIENCE)[0])

    def given():
        return [x for x in w.text().splitlines() if f' pid={burst.pid} ' in x]
    _until(lambda: len(given()) >= made)
    lines = given()
    w.end()
    equal(len(lines), made)
    # What was known of the process before the first reload is known after the last.
    equal(len({x.split('marked ')[1].split(' generation')[0] for x in lines}), 1, lines[-1])
    equal({x.split()[-1] for x in lines} - {'0', '1', '2'}, set())


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
run(globals())
