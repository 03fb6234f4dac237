# SPDX-License-Identifier: Apache-2.0
"""saker run and saker record on this machine: from a system call to a line on standard output."""
import atexit
import ctypes
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from recorder import until_it_records  # noqa: E402
from tap import PATIENCE, SAKER, SOURCE, TMP, check, done, equal, fails, file, run, saker  # noqa: E402

RULES = '''
- rule: Secret read
  desc: a file of ours was opened
  condition: evt.type in (open, openat) and fd.name endswith saker-live-secret and fd.num >= 0
  output: secret %fd.name %proc.name %proc.cmdline %proc.pname %evt.type
  priority: WARNING
- rule: Changed
  desc: many of these
  condition: evt.type = munlockall
  output: changed lossy=%saker.lossy lost=%saker.lost
  priority: DEBUG
- rule: Started
  desc: programs
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-live-mark
  output: started %proc.args
  priority: INFO
'''
MUNLOCKALL = {'x86_64': 152, 'aarch64': 231}[os.uname().machine]
_KERNEL = tuple(int(n) for n in os.uname().release.split('.')[:2])
_NAME = open('/proc/self/comm').read().strip()
libc = ctypes.CDLL(None)


# So that a flood of files is short; while that is made, what others start must find room.
SMALL = ('--ring-size', '64M,1M,64K')


class _Watch:
    """saker run beside the test, with what it printed."""

    n = 0

    def __init__(self, *args, rules=RULES):
        _Watch.n += 1
        self.out = open(file(f'out{_Watch.n}'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '-r', file(f'rules{_Watch.n}.yaml', rules), *args], stdout=self.out,
                                  stderr=subprocess.PIPE)
        atexit.register(self.p.kill)  # for when a test fails
        self.until_it_watches()

    def lines(self):
        with open(self.out.name) as f:
            return f.read().splitlines()

    def until(self, text, seconds=60):
        end, last = time.time() + seconds * PATIENCE, ''
        with open(self.out.name) as f:
            while time.time() < end:
                last = last[-len(text):] + f.read()
                if text in last:
                    return
                time.sleep(0.01)
        raise AssertionError(f'no {text!r} in {self.lines()[-5:]}; {self.end()}')

    def until_it_watches(self):
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            subprocess.run(['/bin/true', 'saker-live-mark-ready'], check=True)
            if any('mark-ready' in line for line in self.lines()):
                return
        raise AssertionError(f'it does not watch: {self.end()}')

    def end(self, how=signal.SIGINT):
        if how:
            self.p.send_signal(how)
        summary = self.p.communicate(timeout=30 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, summary)
        return summary


def _number(summary, pattern):
    found = re.search(rf'(\d+)  {pattern}', summary)
    return int(found[1]) if found else 0


def an_alert_comes_at_once_and_knows_the_process():
    secret = file('saker-live-secret', 'x')
    w = _Watch()
    took = []
    for n in range(5):  # on a busy machine everybody has to wait for their turn
        subprocess.run(['cat', secret], stdout=subprocess.DEVNULL, check=True)
        start = time.time()
        while len([x for x in w.lines() if 'secret ' in x]) <= n:
            time.sleep(0.01)
            check(time.time() - start < 60 * PATIENCE, w.lines()[-5:])
        took.append(time.time() - start)
        if took[-1] < 0.5 * PATIENCE:
            break
    check(min(took) < 0.5 * PATIENCE, took)
    line = next(x for x in w.lines() if 'secret ' in x)
    check(f'Warning secret {secret} cat cat {secret} {_NAME} openat ' in line, line)
    summary = w.end()
    check('Secret read' in summary and ' openat' in summary and 'kernel programs' in summary, summary)


STARTED = '''
- rule: Started
  desc: programs
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-live-mark
  output: started %proc.args of %proc.name %proc.exepath %proc.pname %proc.apid[2] %proc.sname %proc.tty
  priority: INFO
'''
NAMED = STARTED + '''
- rule: Named
  desc: reads of descriptors
  condition: evt.type = openat and fd.name = /not/there/at/all
  output: '%fd.name %user.name'
  priority: INFO
'''


def what_no_rule_reads_is_not_watched_and_alerts_are_the_same():
    few, all_ = _Watch(rules=STARTED), _Watch(rules=NAMED)
    for n in range(3):
        subprocess.run(['sh', '-c', f'/bin/true saker-live-mark-{n}; :'], check=True)
    few.until('mark-2 of')
    all_.until('mark-2 of')
    marks = [[re.sub('.* started (.*) container_name.*', r'\1', x) for x in w.lines() if re.search('mark-[0-2]', x)]
             for w in (few, all_)]
    equal(marks[0], marks[1])
    equal(sum(' of true /' in x for x in marks[0]), 3)
    check('<NA>' not in ''.join(marks[0]), marks[0])
    summaries = few.end(), all_.end()
    equal([bool(_number(s, kind)) for s in summaries for kind in ('openat', 'close', 'execve')],
          [False, False, True, True, True, True])


def json_is_one_object_a_line():
    w = _Watch('--json', '--quiet')
    equal(w.end(), '')
    for line in w.lines():
        equal(json.loads(line)['rule'], 'Started')


def without_a_rule_there_is_nothing_to_watch_for():
    fails(saker('run', '-d', '1', '--tags', 'nosuch'), 1, 'no rule is left to evaluate')
    fails(saker('run', '-d', '1', '-r', file('empty.yaml', '')), 1, 'no rule is left to evaluate')


def it_ends_by_itself_and_by_sigterm():
    w = _Watch('-d', str(int(4 * PATIENCE)))
    check('alerts of 3 rules' in w.end(None))
    w = _Watch()
    w.end(signal.SIGTERM)


def reports_come_at_intervals():
    w = _Watch('--stats', '1', '-d', '5')
    summary = w.end(None)
    lines = re.findall(r'[0-9.]+ s: \d+ alerts, \d+ events a second; lost \d+ of processes, \d+ of network, \d+ of files',
                       summary)
    check(3 <= len(lines) <= 5, summary)


def _on_terminal(*args):
    """What saker run and its alerts leave on a terminal, a few programs being started."""
    master, slave = pty.openpty()
    p = subprocess.Popen([SAKER, 'run', '-r', file('rules.yaml', RULES), '-d', '4', *args], stdout=slave, stderr=slave)
    os.close(slave)
    text = b''
    try:
        while True:  # until nobody has it open any more
            subprocess.run(['/bin/true', 'saker-live-mark'], check=True)
            if select.select([master], [], [], 0.05)[0]:
                text += os.read(master, 65536)
    except OSError:
        os.close(master)
    p.wait(30 * PATIENCE)
    return text.decode().replace('\r\n', '\n')


def on_a_terminal_a_line_says_how_it_goes_and_spoils_nothing():
    text = _on_terminal()
    drawn = re.findall(r'\r\x1b\[Kwatching for \d+ s: \d+ alerts, \d+ events a second, \d+ lost; Ctrl-C ends', text)
    check(2 <= len(drawn) <= 20, len(drawn), text)
    for line in text.strip().split('\n'):
        check(re.match(r'(saker: |\d\d:\d\d:\d\d\.\d{9}: (Informational|Debug) )', line.split('\r\x1b[K')[-1]), repr(line))
    check(' started saker-live-mark' in text, text)
    check('watching for' not in _on_terminal('--quiet'))


def on_a_terminal_make_run_goes_on_until_ctrl_c():
    # An emulated machine has nothing to build with: what make starts then is there all the same.
    command = ['make', '-s', 'run'] if shutil.which('ninja') else ['tools/run']
    pid, master = pty.fork()
    if not pid:
        os.chdir(SOURCE)
        os.execvp(command[0], command)
    text = b''
    asked = False
    try:
        while True:  # until nobody has it open any more
            subprocess.run(['/bin/true', 'saker-live-mark'], check=True)
            if select.select([master], [], [], 0.05)[0]:
                text += os.read(master, 65536)
            if not asked and b'watching for 3 s' in text:
                os.write(master, b'\x03')
                asked = True
    except OSError:
        os.close(master)
    os.waitpid(pid, 0)
    text = text.decode()
    check('until Ctrl-C' in text, text)
    check(re.search(r'saker: \d+ events in [2-9][0-9.]* s', text), text[-3000:])


def _flood(p, made):
    """More than the rings hold, while the program is stopped."""
    os.kill(p.pid, signal.SIGSTOP)
    for i in range(made):
        libc.syscall(MUNLOCKALL)
    os.kill(p.pid, signal.SIGCONT)


def alerts_of_a_lossy_time_are_marked():
    w = _Watch('--json', *SMALL)
    while not any('changed lossy=false lost=0' in x for x in w.lines()):
        libc.syscall(MUNLOCKALL)
        time.sleep(0.2)
    _flood(w.p, 20000)
    w.until('changed lossy=true')
    time.sleep(0.5)
    summary = w.end()
    alerts = [json.loads(x) for x in w.lines() if 'changed lossy' in x]
    lost = int(re.search(r'events of files, (\d+) lost', summary)[1])
    lossy = [x for x in alerts if 'lossy' in x.get('saker', {})]
    marks = [x['saker'] for x in lossy]
    check(marks[0]['lossy'] and 0 < marks[0]['lost'] <= lost, marks[0], summary)
    check(all('lossy=true lost=%d ' % x['saker']['lost'] in x['output'] + ' ' for x in lossy))
    check(all('lossy=false lost=0 ' in x['output'] + ' ' for x in alerts if x not in lossy))
    check(re.search(r'saker: \d+ events were lost, as more happened', summary), summary)
    check('lost of munlockall' in summary and 'lost of control group ' in summary, summary)
    check(f'{lost}  lost as their ring buffer was full' in summary, summary)


def a_recording_carries_what_was_lost():
    capture = os.path.join(TMP, 'lossy.scap')
    p = subprocess.Popen([SAKER, 'record', capture, *SMALL], stderr=subprocess.PIPE)
    until_it_records(p, capture)
    _flood(p, 20000)
    for i in range(100):
        libc.syscall(MUNLOCKALL)
        time.sleep(0.01)
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=30 * PATIENCE)[1].decode()
    lost = int(re.search(r'(\d+) lost', said)[1])
    infra = done(saker('print', capture, '--filter', 'evt.type = infra', '--format', '%evt.arg.description')).decode()
    words = re.findall(r'lane=(\w+) type=(\w+) lost=(\d+) from=(\d+) until=(\d+)', infra)
    check(lost > 0, said)
    equal(sum(int(x[2]) for x in words), lost, infra)
    check(any(x[:2] == ('files', 'munlockall') for x in words), infra)
    out = done(saker('replay', capture, '-r', file('rules.yaml', RULES), '--all-matches')).decode()
    times = done(saker('print', capture, '--filter', 'evt.type = munlockall', '--format',
                       '%evt.rawtime %saker.lossy %saker.lost')).decode()
    marked = sum(x.split()[1] == 'true' for x in times.splitlines())
    check(marked > 0, times[:500])
    equal(out.count('changed lossy=true'), marked)
    equal(done(saker('print', capture, '--count')), done(saker('print', capture, '--filter', 'evt.num > 0', '--count')))


def a_flood_is_lost_exactly_and_takes_no_exec_with_it():
    made, execs = 20000, 50
    w = _Watch(*SMALL)
    os.kill(w.p.pid, signal.SIGSTOP)
    for i in range(made):
        libc.syscall(MUNLOCKALL)
    for i in range(execs):
        subprocess.run(['/bin/true', f'saker-live-mark-{i:03}-x'], check=True)
    os.kill(w.p.pid, signal.SIGCONT)
    w.until(f'mark-{execs - 1:03}-x')
    summary = w.end()
    seen = re.findall(r'started saker-live-mark-(\d+)-x', '\n'.join(w.lines()))
    equal(seen, [f'{i:03}' for i in range(execs)])
    lost = _number(summary, 'lost of munlockall')
    check(lost > 0, 'nothing was lost', summary)
    equal(sum('changed lossy=' in line for line in w.lines()) + lost, made, summary)
    check(re.search(r' events of processes, 0 lost', summary), summary)


def data_on_a_tcp_socket_is_told_of_once_unless_a_rule_asks():
    made = 5000
    for condition, all_of_it in ((' and fd.l4proto != tcp', False), (' and fd.l4proto = tcp', True)):
        rules = file('tcp.yaml', '- rule: Sent\n  desc: by us\n  output: sent %fd.name\n  priority: INFO\n'
                     f'  condition: evt.type = sendto and proc.name = {_NAME}{condition}\n')
        w = _Watch('-r', rules)
        with socket.create_server(('127.0.0.1', 0)) as server:
            with socket.create_connection(server.getsockname()) as one, server.accept()[0] as other:
                for i in range(made):
                    one.send(b'x')
                    other.recv(1)
        subprocess.run(['/bin/true', 'saker-live-mark-sent'], check=True)
        w.until('mark-sent')
        n = _number(w.end(), 'sendto')
        # The summary has the most frequent types only: it may be 0.
        check(n >= made if all_of_it else n < made // 2, n, condition)
        equal(any('sent 127.0.0.1:' in line for line in w.lines()), all_of_it)


def who_sets_up_io_uring_is_named():
    w = _Watch()
    fd = libc.syscall(425, 4, ctypes.create_string_buffer(120))
    if fd >= 0:
        os.close(fd)
    subprocess.run(['/bin/true', 'saker-live-mark-ring'], check=True)
    w.until('mark-ring')
    said = f'{_NAME} ({os.getpid()}) has set up io_uring, ring number ' in w.end()
    equal(said, fd >= 0)


def a_recording_of_a_command_replays_to_the_same_alert():
    secret, capture = file('saker-live-secret', 'x'), os.path.join(TMP, 'r.scap')
    rec = saker('record', capture, '--', 'cat', secret)
    done(rec)
    check(b'0 lost' in rec.stderr, rec.stderr)
    out = done(saker('replay', capture, '-r', file('rules.yaml', RULES))).decode()
    check(f'Warning secret {secret} cat cat {secret} saker openat ' in out, out)
    equal(out.count('Warning secret '), 1, out)


def a_recording_can_go_through_a_pipe():
    secret = file('saker-live-secret', 'x')
    record = subprocess.Popen([SAKER, 'record', '-', '--', 'cat', secret], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    printed = saker('print', '-', '--filter', 'evt.type = openat and fd.name endswith saker-live-secret',
                    '--format', '%proc.cmdline %fd.name', stdin=record.stdout)
    record.stdout.close()
    said = record.stderr.read().decode()
    equal(record.wait(30 * PATIENCE), 0, said, printed)
    equal(done(printed).decode(), f'cat {secret} {secret}\n', said)
    check(re.search(r'\d+ events in [0-9.]+ s, 0 lost', said), said)


def who_reads_a_recording_may_leave():
    p = subprocess.Popen([SAKER, 'record', '-'], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.read(1000)
    p.stdout.close()
    end = time.time() + 30 * PATIENCE
    while time.time() < end and p.poll() is None:  # it has something to write
        subprocess.run(['/bin/true'], check=True)
        time.sleep(0.1)
    said = p.communicate(timeout=1)[1].decode()
    equal(p.returncode, 1, said)
    check('standard output: Broken pipe' in said, said)


def a_filtered_recording_keeps_what_matches_and_what_explains_it():
    secret, capture = file('saker-live-secret', 'x'), os.path.join(TMP, 'f.scap')
    rec = saker('record', capture, '--filter',
                'evt.type in (open, openat) and evt.dir = < and fd.name endswith saker-live-secret',
                '--', 'cat', secret)
    done(rec)
    check(b'1 events match' in rec.stderr, rec.stderr)
    shown = done(saker('print', capture, '--format', '%proc.cmdline %fd.name')).decode().splitlines()
    equal([x for x in shown if 'source=saker' not in x and '<NA>' not in x], [f'cat {secret} {secret}'])
    out = done(saker('replay', capture, '-r', file('rules.yaml', RULES))).decode()
    check(f'Warning secret {secret} cat cat {secret} saker openat ' in out, out)
    fails(saker('record', capture, '--filter', 'evt.type ='), 1, 'filter')


def a_full_disk_is_an_error():
    p = saker('record', '/dev/full', '-d', '1')
    fails(p, 1, 'No space left')


def without_privileges_it_says_what_it_takes():
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    p = subprocess.run([*nobody, SAKER, 'run', '-d', '1'], capture_output=True)
    fails(p, 1, 'root', 'CAP_BPF', 'CAP_PERFMON')
    # Before 5.11 what maps take was locked memory, which has a limit.
    caps = '+bpf,+perfmon' if _KERNEL >= (5, 11) else '+bpf,+perfmon,+sys_resource'
    caps = ['--inh-caps=' + caps, '--ambient-caps=' + caps]
    done(subprocess.run([*nobody, *caps, SAKER, 'run', '-d', '1', '-r', file('rules.yaml', RULES)],
                        capture_output=True))


def _alone(seconds=60):
    """What is counted are calls of the whole machine: two runs of these tests side by side would count each other's."""
    lock = open(os.path.join(tempfile.gettempdir(), 'saker-live-test.lock'), 'w')
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            time.sleep(0.1)
    return lock


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
lock = _alone()
run(globals())
