# SPDX-License-Identifier: Apache-2.0
"""Files that are closed after writing: by what, how large, by whom, and where on the host; live, and in a replay."""
import atexit
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from recorder import until_it_records  # noqa: E402
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, run, saker  # noqa: E402

RULES = '''
- rule: Closed
  desc: a file of ours was closed after writing
  condition: evt.type = close and evt.is_close_write = true and fd.name contains saker-closed-
  output: >
    %fd.name %fd.host_name %evt.close_write.size %evt.close_write.is_last %evt.close_write.by %proc.args %fd.num
  priority: INFO
'''
_KERNEL = tuple(int(n) for n in os.uname().release.split('.')[:2])
# What each does to a file that is new: the words are the child's, `f` is a descriptor open for writing.
ACTS = {
    'plain': 'w(b"12345"); os.close(f)',
    'twice': 'g = os.dup(f); w(b"1"); os.close(f); w(b"23", g); os.close(g)',
    'replaced': 'w(b"1234"); os.dup2(os.open("/dev/null", os.O_RDONLY), f)',
    'range': 'w(b"12"); libc.close_range(f, f, 0)',
    'exec': 'w(b"123"); os.execv("/bin/true", ["true", "exec"])',
    'end': 'w(b"1")',
    'killed': 'w(b"12"); os.kill(os.getpid(), 9)',
    'threads': 'w(b"1"); threading.Thread(target=time.sleep, args=(100,), daemon=True).start(); os._exit(0)',
    'renamed': 'w(b"1"); os.rename(sys.argv[2], sys.argv[2] + "-moved"); os.close(f)',
    'unlinked': 'w(b"1"); os.unlink(sys.argv[2]); os.close(f)',
    'inherited': 'r, q = os.pipe(); os.fork() or (os.read(r, 1), w(b"1"), os._exit(0)); os.close(f); os.write(q, b"x"); os.wait()',
    'reading': 'os.close(os.open(sys.argv[2], os.O_RDONLY)); w(b"1234567"); os.close(f)',
    'bad': 'os.close(f); libc.close(f)',
}
# Size, whether it was the last, by what; for each descriptor in their order.
WANT = {
    'plain': [(5, 'true', 'close')],
    'twice': [(1, 'false', 'close'), (3, 'true', 'close')],
    'replaced': [(4, 'true', 'dup')],
    'range': [(2, 'true', 'close_range')],
    'exec': [(3, 'true', 'exec')],
    'end': [(1, 'true', 'exit')],
    'killed': [(2, 'true', 'exit')],
    'threads': [(1, 'true', 'exit')],
    'renamed': [(1, 'true', 'close')],
    'unlinked': [(1, 'true', 'close')],
    'inherited': [(0, 'false', 'close'), (1, 'true', 'exit')],
    'reading': [(7, 'true', 'close')],
    'bad': [(0, 'true', 'close')],
}
CHILD = '''
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
f = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
def w(x, to=None):
    os.write(f if to is None else to, x)
'''


def _path(act):
    return os.path.join(TMP, f'saker-closed-{act}')


def _act(act):
    subprocess.run([sys.executable, '-c', CHILD + ACTS[act], act, _path(act)])


def _of(alerts, act):
    """What was told of an act: its file, its place on the host, and the rest as in WANT, the process's argument last."""
    told = [a['output_fields'] for a in alerts if a['output_fields']['fd.name'].startswith(_path(act))]
    return [(x['fd.name'], x['fd.host_name'],
             (x['evt.close_write.size'], str(x['evt.close_write.is_last']).lower(), x['evt.close_write.by']), x['proc.args'])
            for x in told]


class _Watch:
    def __init__(self, *args):
        self.out = open(file('out'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '-j', '-r', file('rules.yaml', RULES), *args], stdout=self.out,
                                  stderr=subprocess.PIPE)
        atexit.register(self.p.kill)  # for when a test fails
        self.until('begin')

    def alerts(self):
        with open(self.out.name) as f:
            return [json.loads(line) for line in f if line.endswith('\n')]

    def until(self, name):
        """A file of that name is written until that is told of."""
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            with open(_path(name), 'w'):
                pass
            if _of(self.alerts(), name):
                return
            time.sleep(0.1)
        raise AssertionError(f'it does not tell of {name}: {self.alerts()[-5:]}')

    def end(self):
        self.p.send_signal(signal.SIGINT)
        said = self.p.communicate(timeout=30 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        return said


def _all_acts():
    return [act for act in ACTS if act != 'exec' or _KERNEL >= (6, 10)]


def _check(alerts):
    for act in _all_acts():
        told = _of(alerts, act)
        equal([x[2] for x in told], WANT[act], act)
        for name, host, _, args in told:
            check(f'{act} {_path(act)}' in args or act == 'exec', act, args)
            where = {'renamed': _path(act) + '-moved'}.get(act, _path(act))
            check(host == where or act == 'unlinked', act, host)
            equal(name, _path(act))


def _forget():
    for name in os.listdir(TMP):
        if name.startswith('saker-closed-'):
            os.unlink(os.path.join(TMP, name))


def each_way_to_close_is_told():
    _forget()
    w = _Watch()
    for act in _all_acts():
        _act(act)
    w.until('all')
    w.end()
    _check(w.alerts())


def a_recording_replays_to_the_same():
    _forget()
    capture = os.path.join(TMP, 'r.scap')
    p = subprocess.Popen([SAKER, 'record', capture], stderr=subprocess.PIPE)
    until_it_records(p, capture)
    for act in _all_acts():
        _act(act)
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=30 * PATIENCE)[1].decode()
    equal(p.returncode, 0, said)
    out = done(saker('replay', capture, '-j', '-r', file('rules.yaml', RULES))).decode()
    _check([json.loads(line) for line in out.splitlines()])


def a_file_that_was_open_before_has_its_path_all_the_same():
    _forget()
    with open(_path('before'), 'w') as f:
        w = _Watch('--syscalls', 'close')  # nothing of it but the close
        f.write('123')
    w.until('after')
    w.end()
    equal([x[1:3] for x in _of(w.alerts(), 'before')], [(_path('before'), (3, 'true', 'close'))])


def many_descriptors_go_at_once():
    _forget()
    w = _Watch()
    child = 'import os, sys\nfor i in range(500): os.open(sys.argv[1] + str(i % 10), os.O_WRONLY | os.O_CREAT)'
    done(subprocess.run([sys.executable, '-c', child, _path('many')], capture_output=True))
    w.until('all')
    w.end()
    equal(len([x for x in _of(w.alerts(), 'many') if x[2] == (0, 'true', 'exit')]), 500)


def where_no_rule_asks_closes_are_not_looked_at():
    other = file('other.yaml', RULES.replace('evt.is_close_write = true and', '').replace('%evt.close_write', '%evt.x')
                 .replace('%evt.x.size %evt.x.is_last %evt.x.by', ''))
    n = [int(done_said.split(' kernel programs')[0].split()[-1]) for done_said in
         (saker('run', '-d', '1', '-r', r).stderr.decode() for r in (other, file('rules.yaml', RULES)))]
    check(n[0] + 5 <= n[1], n)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
lock = open(os.path.join(tempfile.gettempdir(), 'saker-live-test.lock'), 'w')
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except BlockingIOError:
        time.sleep(0.1)
run(globals())
