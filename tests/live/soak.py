#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mixed load for a long time: memory stays flat, no process event is lost, nothing is amiss.

SAKER_SOAK_SECONDS: how long; 30 by default, 1800 for `make soak`.
"""
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import SAKER, SOURCE, TMP, check, equal, file, run  # noqa: E402

SECONDS = float(os.environ.get('SAKER_SOAK_SECONDS', 30))
WORD = f'saker-soak-secret-{os.getpid()}'  # others may be at it
RULES = f'''
- rule: Soak
  desc: now and then, to see that it still watches
  condition: evt.type in (open, openat) and fd.name endswith {WORD}
  output: soak %fd.name %proc.name %proc.pname
  priority: INFO
'''


def _programs():
    subprocess.run(['/bin/sh', '-c', '/bin/true; /bin/ls / >/dev/null; (/bin/true &) '], check=True)
    time.sleep(0.02)


def _files():
    for i in range(300):
        path = os.path.join(TMP, f'soak-{i}-{time.time_ns()}')
        with open(path, 'w') as f:
            f.write('x')
        os.rename(path, path + 'y')
        os.unlink(path + 'y')
    time.sleep(0.05)


def _connections():
    with socket.create_server(('127.0.0.1', 0)) as server:
        for _ in range(50):
            with socket.create_connection(server.getsockname()) as c:
                other, _ = server.accept()
                c.sendall(b'x' * 100)
                other.recv(100)
                other.close()
    time.sleep(0.05)


def _threads():
    made = [threading.Thread(target=os.stat, args=('/',)) for _ in range(20)]
    for t in made:
        t.start()
    for t in made:
        t.join()
    time.sleep(0.05)


class _Load:
    def __init__(self):
        self.over, self.rounds, self.error = threading.Event(), 0, None
        self.workers = [threading.Thread(target=self.work, args=(w,)) for w in
                        (_programs, _files, _connections, _threads)]
        for w in self.workers:
            w.start()

    def work(self, what):
        try:
            while not self.over.is_set():
                what()
                self.rounds += 1
        except Exception as e:
            self.error = e

    def end(self):
        self.over.set()
        for w in self.workers:
            w.join()
        check(self.error is None, self.error)
        check(self.rounds >= SECONDS, f'only {self.rounds} rounds of load')


def _anonymous_kib(pid):
    with open(f'/proc/{pid}/status') as f:
        return int(re.search(r'RssAnon:\s+(\d+)', f.read())[1])


def _watch():
    out = open(file('alerts'), 'wb')
    bundled = os.path.join(SOURCE, 'rules/saker_rules.yaml')
    return subprocess.Popen([SAKER, 'run', '-r', bundled, '-r', file('soak.yaml', RULES)], stdout=out,
                            stderr=subprocess.PIPE)


def _alerts(word):
    with open(os.path.join(TMP, 'alerts')) as f:
        return sum(word in line for line in f)


def _until_it_watches(p, secret):
    end = time.time() + 30
    while not _alerts('soak '):
        open(secret).close()
        time.sleep(0.05)
        check(time.time() < end and p.poll() is None, 'it does not watch')


def memory_is_flat_and_no_process_event_is_lost():
    secret = file(WORD, 'x')
    p = _watch()
    _until_it_watches(p, secret)
    load, samples, began, opened = _Load(), [], time.time(), 0
    before = _alerts('soak ')
    while time.time() - began < SECONDS:
        time.sleep(max(SECONDS / 60, 0.5))
        open(secret).close()
        opened += 1
        check(p.poll() is None, 'it ended by itself')
        samples.append(_anonymous_kib(p.pid))
    load.end()
    third = len(samples) // 3
    warm, late = max(samples[third:2 * third]), max(samples[2 * third:])
    print(f'# {SECONDS:.0f} s, {load.rounds} rounds, anonymous KiB: first {samples[0]}, second third {warm}, last third {late}')
    time.sleep(1)
    seen = _alerts('soak ') - before
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=60)[1].decode()
    print(f'# {seen} of {opened} alerts')
    print('# ' + '\n# '.join(x for x in said.splitlines() if ' lost' in x or 'late' in x or 'events in' in x))
    equal(p.returncode, 0, said)
    check(re.search(r' events of processes, 0 lost', said), said)
    equal(seen, opened, said)
    check(late <= warm * 1.03 + 256, f'memory grows: {samples}')


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
run(globals())
