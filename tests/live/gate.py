# SPDX-License-Identifier: Apache-2.0
"""The gate in the kernel: the same alerts with it as without, and fewer events; nothing stale is left behind.

usage: gate.py
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run  # noqa: E402

# One rule for each way in which the kernel decides, and one that reads of descriptors what is left of them.
RULES = '''
- list: watched
  items: [TMP/exact, TMP/other]
- rule: Exact
  desc: a path
  condition: evt.type in (open, openat, openat2, creat) and fd.name in (watched)
  output: exact %fd.name %evt.type
  priority: NOTICE
- rule: Below
  desc: a beginning, and written
  condition: evt.type in (open, openat) and evt.is_open_write = true and fd.name startswith TMP/below/
  output: below %fd.name
  priority: NOTICE
- rule: Ending
  desc: an end that is not that
  condition: evt.type in (open, openat) and fd.name endswith .key and not fd.name contains /public/ and fd.name startswith TMP
  output: ending %fd.name
  priority: NOTICE
- rule: Folder
  desc: a directory, a name
  condition: evt.type in (open, openat) and (fd.directory = TMP/folder or fd.filename = saker-name) and fd.num >= 0
  output: folder %fd.name
  priority: NOTICE
- rule: Failed
  desc: what is not there
  condition: evt.type in (open, openat) and evt.rawres < 0 and fd.name startswith TMP/missing
  output: failed %fd.name %evt.res
  priority: NOTICE
- rule: Socket
  desc: a socket becomes standard input
  condition: evt.type in (dup2, dup3) and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6)
  output: socket %fd.num %fd.type
  priority: NOTICE
- rule: Mark
  desc: the test is ready, or over
  condition: evt.type in (execve, execveat) and proc.args contains saker-gate-mark
  output: mark %proc.args
  priority: NOTICE
'''
PATH = os.path.join(TMP, 'scene')
FOLDERS = ('below', 'folder', 'public', 'deep/down')


class Watch:
    def __init__(self, *options):
        self.path = file('alerts' + ''.join(options))
        with open(self.path, 'wb') as out:
            self.p = subprocess.Popen([SAKER, 'run', '--json', '--all-matches', *options, '-r', rules],
                                      stdout=out, stderr=subprocess.PIPE, text=True)

    def alerts(self):
        with open(self.path) as f:
            return [json.loads(x) for x in f.read().splitlines(keepends=True) if x.endswith('\n')]

    def until(self, mark):
        end = time.time() + 30 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            if any(f'saker-gate-mark-{mark}' in a['output'] for a in self.alerts()):
                return
            subprocess.run(['/bin/true', f'saker-gate-mark-{mark}'], check=True)
            time.sleep(0.05)
        raise AssertionError(f'no alert about {mark}')

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        said = self.p.communicate(timeout=30 * PATIENCE)[1]
        equal(self.p.returncode, 0, said)
        return [a['output'].split(' ', 2)[2] for a in self.alerts() if a['rule'] != 'Mark'], said


def opened(path, flags=os.O_RDONLY, **more):
    try:
        fd = os.open(path, flags, 0o600, **more)
    except OSError:
        return
    os.close(fd)


def deeds():
    """Whatever the kernel may decide wrongly: each path in several ways, from this thread and from others."""
    names = ['exact', 'other', 'plain', 'below/one', 'public/x.key', 'a.key', 'folder/thing', 'saker-name',
             'missing/one', 'deep/down/exact', 'exactly']
    for name in names:
        path = os.path.join(PATH, name)
        for flags in (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_TRUNC):
            opened(path, flags)
        opened(PATH + '//' + name)
        opened(PATH + '/./' + name)
        opened(os.path.join(PATH, 'below', '..', name))
        os.chdir(PATH)
        opened(name)
        opened('below/../' + name)
        fd = os.open(PATH, os.O_RDONLY)
        opened(name, dir_fd=fd)
        os.close(fd)
    os.symlink(os.path.join(PATH, 'exact'), os.path.join(PATH, 'link'))
    opened(os.path.join(PATH, 'link'))
    os.rename(os.path.join(PATH, 'plain'), os.path.join(PATH, 'renamed'))
    opened(os.path.join(PATH, 'renamed'))
    os.remove(os.path.join(PATH, 'link'))


def children():
    """What forks, executes and closes in other ways has nothing stale: descriptors are used again and again."""
    code = '''
import os, socket, sys
path = sys.argv[1]
for how in range(60):
    fd = os.open(path + "/plain2", os.O_RDONLY | os.O_CREAT, 0o600)
    way = how % 6
    if way == 0: os.close(fd)
    elif way == 1: os.closerange(fd, fd + 3)
    elif way == 2:
        s = socket.socket(socket.AF_INET); os.dup2(s.fileno(), fd); s.close(); os.close(fd)
    elif way == 3:
        pid = os.fork()
        if not pid: os.close(fd); os._exit(0)
        os.waitpid(pid, 0); os.close(fd)
    elif way == 4:
        null = os.open("/dev/null", os.O_RDONLY); os.dup2(null, fd); os.close(null); os.close(fd)
    else: os.close(fd)
    s = socket.socket(socket.AF_INET)
    n = s.fileno()
    s.close()
    fd = os.open(path + "/plain2", os.O_RDONLY)   # has the number that the socket had
    assert fd == n, (fd, n)
    os.dup2(fd, 0)      # a file: no alert, though a stale socket would be one
    os.close(fd)
    s = socket.socket(socket.AF_INET)
    os.dup2(s.fileno(), 0)      # a socket: an alert
    s.close()
'''
    subprocess.run([sys.executable, '-c', code, PATH], check=True, stdin=subprocess.DEVNULL)


def the_same_alerts_with_and_without():
    for f in FOLDERS:
        os.makedirs(os.path.join(PATH, f))
    watches = [Watch('--gate'), Watch()]
    for w in watches:
        w.until('ready')
    threads = [threading.Thread(target=children) for _ in range(2)]
    for t in threads:
        t.start()
    for _ in range(3):
        deeds()
        with open(os.path.join(PATH, 'plain'), 'w'):
            pass
    for t in threads:
        t.join()
    for w in watches:
        w.until('over')
    (gated, said), (all_of_them, _) = (w.end() for w in watches)
    equal(sorted(gated), sorted(all_of_them))
    for kind in ('exact', 'below', 'ending', 'folder', 'failed', 'socket'):
        check(any(a.startswith(kind) for a in gated), kind, said)
    equal(len([a for a in gated if a.startswith('socket 0')]), 2 * 60, said)
    n_cut, n_closes = (int(x) for x in re.search(r'(\d+) opens and (\d+) closes were cut', said).groups())
    check(n_cut > 60 and n_closes > 40, said)


def a_rule_about_descriptors_keeps_their_opens():
    global rules
    before, rules = rules, file('reads.yaml', '''
- rule: Written
  desc: by a descriptor from before
  condition: evt.type = fchmod and fd.name startswith %s/
  output: written to %%fd.name
  priority: NOTICE
''' % PATH + RULES[RULES.index('- rule: Mark'):])
    try:
        w = Watch('--gate')
        w.until('ready')
        fd = os.open(os.path.join(PATH, 'chmodded'), os.O_RDWR | os.O_CREAT, 0o600)
        os.fchmod(fd, 0o640)
        os.close(fd)
        w.until('over')
        alerts, said = w.end()
    finally:
        rules = before
    check(any('chmodded' in a for a in alerts), said)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
rules = file('rules.yaml', RULES.replace('TMP', PATH))
run({k: v for k, v in globals().items() if k in ('the_same_alerts_with_and_without', 'a_rule_about_descriptors_keeps_their_opens')})
