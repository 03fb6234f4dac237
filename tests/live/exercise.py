# SPDX-License-Identifier: Apache-2.0
"""saker doctor --exercise: rules speak of harmless things that are really done.  Needs root."""
import glob
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from hierarchies import be_of_the_host  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, equal, fails, file, run  # noqa: E402

FOLDERS = ('/tmp', '/dev/shm', '/var/log')
ACTS = {'secret': 'Password Hashes Read', 'memory': 'Program Executed from Memory', 'shm': 'Program Executed from Shared Memory',
        'hidden': 'Hidden Program Executed from Temporary Directory', 'pose': 'Program Posing as Kernel Thread',
        'link': 'Link to Sensitive File', 'setuid': 'Setuid Bit Set', 'detour': 'File Reached in a Detour',
        'log': 'Log Emptied or Deleted', 'trace': 'Process Refuses to Be Traced'}
RULES = '''
- rule: Execution from /dev/shm
  desc: by the name that others give it
  condition: evt.type = execve and evt.rawres = 0 and proc.exepath startswith /dev/shm
  output: shm %proc.cmdline
  priority: INFO
- rule: Program Executed from Memory
  desc: never true of what is in memory
  condition: evt.type in (execve, execveat) and evt.rawres = 0 and proc.is_exe_from_memfd = true and user.uid = 4321
  output: memory %proc.cmdline
  priority: INFO
'''


def _left():
    return [os.path.join(d, x) for d in FOLDERS for x in os.listdir(d) if 'saker-doctor' in x]


def _exercise(*args, before=(), **kwargs):
    p = subprocess.run([*before, SAKER, 'doctor', '--exercise', *args], capture_output=True, preexec_fn=be_of_the_host,
                       timeout=240 * PATIENCE, **kwargs)
    equal(_left(), [])
    return p


def _acts(p):
    return {a['act']: a for a in json.loads(p.stdout)['acts']}


def key_rules_speak_and_lack_nothing():
    p = _exercise('--json')
    for name, rule in ACTS.items():
        a = _acts(p)[name]
        equal((a['status'], a['rule'], a['lacks']), ('fired', rule, []), a)
        check(rule in a['alerts'], a)
    equal(_acts(p)['nothing']['status'], 'fired')
    equal((p.returncode, json.loads(p.stdout)['good'], p.stderr), (0, True, b''))


def what_does_not_fire_is_explained():
    p = _exercise('--rules', file('rules.yaml', RULES), '--json')
    acts = _acts(p)
    equal((acts['shm']['status'], acts['shm']['alerts']), ('fired', ['Execution from /dev/shm']))
    equal((acts['memory']['status'], acts['memory']['why']),
          ('missed', "its condition ends at 'user.uid = 4321', which found '0'"))
    equal(acts['log']['status'], 'no_rule')
    equal((p.returncode, json.loads(p.stdout)['good']), (1, False))


def what_cannot_be_done_is_no_fault():
    p = _exercise('--rules', file('rules.yaml', RULES.split('- rule: Program')[0]), before=[
        'unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o noexec none /dev/shm && exec "$@"', 'sh'])
    text = p.stdout.decode()
    check('skipped  shm' in text and 'why    /dev/shm/' in text and 'Permission denied' in text, text)
    check('fired    nothing' in text, text)
    equal(p.returncode, 0, text)


def who_may_not_watch_is_told_so():
    os.chmod(TMP, 0o755)
    p = subprocess.run(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', SAKER, 'doctor',
                        '--exercise'], capture_output=True)
    fails(p, 1, 'saker run does not watch', 'CAP_BPF')


def _children(pid):
    found = []
    for stat in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(stat) as f:
                if f.read().rsplit(')', 1)[1].split()[1] == str(pid):
                    found.append(int(stat.split('/')[2]))
        except OSError:
            pass  # it has ended
    return found


def interrupted_it_leaves_nothing():
    p = subprocess.Popen([SAKER, 'doctor', '--exercise'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    time.sleep(2)
    children = _children(p.pid)
    check(children, 'nobody watches')
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=60 * PATIENCE)[1]
    equal((p.returncode, b'interrupted' in said), (130, True), said)
    equal(_left(), [])
    equal([pid for pid in children if os.path.exists(f'/proc/{pid}')], [])


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
run(globals())
