# SPDX-License-Identifier: Apache-2.0
"""saker run where a container would have it: in a pid namespace with a /proc, users and links of its own, and the machine below
HOST_ROOT."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from ofhost import popen  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, equal, file, run  # noqa: E402

HOST = os.path.join(TMP, 'host')
RULES = f'''
- rule: Started
  desc: programs with a mark
  condition: evt.type = execve and evt.rawres = 0 and proc.args startswith saker-hostroot-mark
  output: "%proc.args %proc.pid %proc.ppid %proc.pexepath %proc.cwd %user.name %container.id"
  priority: INFO
- rule: Own
  desc: what Saker itself writes, each alert of which would be written again
  condition: evt.type in (write, writev) and proc.name = saker and proc.cmdline contains {TMP}
  output: "%proc.pid"
  priority: INFO
'''
# The machine at one place; then a passwd of our own, and a namespace of pids with its /proc.
CONTAINED = f'''
mount --rbind / {HOST} &&
mount --bind {TMP}/passwd /etc/passwd &&
exec unshare --pid --fork --kill-child --mount-proc "$@"
'''
_n = iter(range(1000))


class _Watch:
    def __init__(self, **env):
        self.out = open(file(f'out{next(_n)}'), 'wb')
        self.p = subprocess.Popen(['unshare', '--mount', 'sh', '-c', CONTAINED, 'sh', SAKER, 'run', '--json', '--no-runtimes', '-r',
                                   file('hostroot.yaml', RULES)], stdout=self.out, stderr=subprocess.PIPE,
                                  env={**os.environ, **env})

    def alerts(self):
        with open(self.out.name) as f:
            return [json.loads(line) for line in f if line.endswith('\n')]

    def started(self):
        """A program with a mark, run again until an alert tells of it: its process, and what the alert says."""
        mark, pids = f'saker-hostroot-mark-{next(_n)}', {}
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            p = popen(['/bin/true', mark], 65534)
            pids[p.pid] = p
            p.wait()
            found = [a['output_fields'] for a in self.alerts() if a['output_fields'].get('proc.args') == mark]
            if found:
                check(found[0]['proc.pid'] in pids, found[0], list(pids))
                return found[0]
        raise AssertionError(f'no alert: {self.end()}')

    def end(self):
        """What it said.  Only Saker itself, the first process of its namespace, ends by a signal as it should."""
        with open(f'/proc/{self.p.pid}/task/{self.p.pid}/children') as f:
            os.kill(int(f.read().split()[0]), signal.SIGINT)
        said = self.p.communicate(timeout=60 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        return said


def below_host_root_is_the_machine():
    """Also processes that were there before, as this one; and names of its users, not of ours."""
    w = _Watch(HOST_ROOT=HOST)
    w.started()
    a = w.started()
    equal(a['proc.ppid'], os.getpid())
    equal(a['proc.pexepath'], os.path.realpath('/proc/self/exe'))
    equal(a['proc.cwd'].rstrip('/'), os.getcwd().rstrip('/'))
    equal(a['user.name'], 'nobody')
    equal(a['container.id'], 'host')
    said = w.end()
    check('namespace' not in said and 'cannot be read' not in said, said)


def what_it_does_itself_is_not_told():
    w = _Watch(HOST_ROOT=HOST)
    for _ in range(3):
        w.started()
    w.end()
    equal([a for a in w.alerts() if a['rule'] == 'Own'], [])


def processes_of_another_proc_are_not_taken_for_the_machines():
    w = _Watch(HOST_ROOT='')
    w.started()
    a = w.started()
    equal(a['proc.ppid'], os.getpid())
    check(a['proc.pexepath'] in ('', os.path.realpath('/proc/self/exe')), a)
    equal(a['user.name'], 'saker-inside')
    said = w.end()
    check('/proc is of another pid namespace' in said, said)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.makedirs(HOST)
file('passwd', 'saker-inside:x:65534:65534:::\n')
run(globals())
