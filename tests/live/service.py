# SPDX-License-Identifier: Apache-2.0
"""saker run as a service: what it tells its manager, its log, and being the first process of a container."""
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run, skip  # noqa: E402

RULES = file('service.yaml', '''
- rule: Marked
  desc: d
  condition: evt.type = execve and proc.args contains saker-service-mark
  output: marked %static.site
  priority: WARNING
''')
CONFIG = 'static_fields: {site: here}\n'


def _needs_root():
    if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
        skip('this takes root and a kernel with BTF')


class _Manager:
    """What systemd has at NOTIFY_SOCKET."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind('\0' + name[1:] if name[0] == '@' else name)
        self.words = []

    def until(self, word, seconds=60):
        """All that was said up to this word."""
        end = time.time() + seconds * PATIENCE
        while not any(w.startswith(word) for w in self.words):
            self.socket.settimeout(max(0.1, end - time.time()))
            try:
                self.words += self.socket.recv(4096).decode().split('\n')
            except TimeoutError:
                raise AssertionError(f'no {word} but {self.words}') from None
        return self.words


def _start(*args, env=(), config=CONFIG, before=()):
    out, err = file('service-out'), file('service-err')
    path = file('service-config.yaml', config)
    with open(out, 'wb') as o, open(err, 'wb') as e:
        return subprocess.Popen([*before, SAKER, 'run', '-c', path, '-r', RULES, *args], stdout=o, stderr=e,
                                env={**os.environ, **dict(env)})


def _end(p, how=signal.SIGTERM):
    p.send_signal(how)
    try:
        equal(p.wait(60 * PATIENCE), 0, _said('err'))
    except subprocess.TimeoutExpired:
        p.kill()
        raise


def _said(which):
    with open(f'{TMP}/service-{which}') as f:
        return f.read()


def _until_marked():
    end = time.time() + 60 * PATIENCE
    while 'marked here' not in _said('out'):
        subprocess.run(['sh', '-c', 'true', 'saker-service-mark'], check=True)
        check(time.time() < end, _said('out'), _said('err'))
        time.sleep(0.1)


def its_manager_hears_when_it_watches_and_when_it_ends():
    _needs_root()
    for name in (f'{TMP}/notify', f'@saker-service-{os.getpid()}'):
        m = _Manager(name)
        p = _start(env={'NOTIFY_SOCKET': name})
        check(any(w.startswith('STATUS=Loading') for w in m.until('READY=1')), m.words)
        _until_marked()
        m.until('STATUS=Watching with 1 rules')
        check('STOPPING=1' not in m.words and 'WATCHDOG=1' not in m.words, m.words)
        _end(p)
        m.until('STOPPING=1')


def the_watchdog_is_fed_as_long_as_the_loop_goes_round():
    _needs_root()
    m = _Manager(f'@saker-watchdog-{os.getpid()}')
    p = _start(env={'NOTIFY_SOCKET': m.name, 'WATCHDOG_USEC': '800000'})
    m.until('READY=1')
    for _ in range(3):
        m.words = []
        m.until('WATCHDOG=1', 20)
    p.send_signal(signal.SIGSTOP)  # it stands still
    time.sleep(0.3)
    m.socket.setblocking(False)
    try:
        while True:
            m.socket.recv(4096)
    except BlockingIOError:
        pass
    time.sleep(1)
    try:
        raise AssertionError(m.socket.recv(4096))
    except BlockingIOError:
        pass
    p.send_signal(signal.SIGCONT)
    m.words = []
    m.until('WATCHDOG=1', 20)
    _end(p)


def what_it_says_of_itself_is_json_where_that_is_wanted():
    _needs_root()
    p = _start('-d', '1', config=CONFIG + 'saker: {log_format: json}\n')
    equal(p.wait(60 * PATIENCE), 0, _said('err'))
    lines = [json.loads(x) for x in _said('err').splitlines()]
    check(len(lines) > 3, lines)
    for line in lines:
        equal(sorted(line), ['level', 'message', 'pid', 'program', 'time'])
        check(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z', line['time']), line)
    first = [x for x in lines if x['message'].startswith('watching ')]
    equal([(x['level'], x['program']) for x in first], [('info', 'saker')])


def what_is_less_urgent_is_left_out():
    _needs_root()
    p = _start('-d', '1', config=CONFIG + 'log_level: error\n')
    equal((p.wait(60 * PATIENCE), _said('err')), (0, ''))
    p = _start('-d', '1', config=CONFIG + 'log_stderr: false\n')
    equal((p.wait(60 * PATIENCE), _said('err')), (0, ''))


def the_first_process_of_a_container_reaps_and_stops():
    _needs_root()
    p = _start(before=('unshare', '--pid', '--fork', '--kill-child'))
    _until_marked()
    with open(f'/proc/{p.pid}/task/{p.pid}/children') as f:
        first = int(f.read())
    with open(f'/proc/{first}/task/{first}/children') as f:
        children = f.read().split()
    equal(len(children), 1, 'the first process has the one that watches below it')
    with open(f'/proc/{first}/status') as f:
        equal([x.split()[1] for x in f if x.startswith('CapEff')], ['0' * 16])
    # An orphan in its namespace ends: nobody else takes notice of it.
    orphan = subprocess.run(['nsenter', '-t', str(first), '-p', 'sh', '-c', 'sleep 0.1 >/dev/null 2>&1 & echo'],
                            capture_output=True, text=True, check=True)
    end = time.time() + 20 * PATIENCE
    while True:
        with open(f'/proc/{first}/task/{first}/children') as f:
            if f.read().split() == children:
                break
        check(time.time() < end, 'orphans stay', orphan)
        time.sleep(0.1)
    os.kill(first, signal.SIGTERM)
    equal(p.wait(60 * PATIENCE), 0, _said('err'))
    check('alerts of 1 rules' in _said('err'), _said('err'))


def _mount_namespace():
    """One of our own from here on, for a /dev/log that is ours; False: that may not be had."""
    libc = ctypes.CDLL(None, use_errno=True)
    return not libc.unshare(0x20000) and not libc.mount(b'none', b'/', None, 0x44000, None)


def the_systems_log_gets_it_too():
    _needs_root()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            status = _syslog()
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 77:
        skip('there is no mount namespace to be had')
    equal(status, 0)


def _syslog():
    path = f'{TMP}/log'
    if not _mount_namespace():
        return 77
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(path)
    if not os.path.exists('/dev/log'):
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/dev'], check=True)
        for name, major, minor in (('null', 1, 3), ('urandom', 1, 9), ('random', 1, 8), ('zero', 1, 5), ('tty', 5, 0)):
            os.mknod(f'/dev/{name}', 0o20666, os.makedev(major, minor))
        os.symlink(path, '/dev/log')
    else:
        subprocess.run(['mount', '--bind', path, '/dev/log'], check=True)
    p = _start('-d', '1', config=CONFIG + 'log_syslog: true\nlog_stderr: false\n')
    log.settimeout(60 * PATIENCE)
    lines = []
    while not any('watching' in x for x in lines):
        lines.append(log.recv(65536).decode())
    p.wait(60 * PATIENCE)
    good = re.fullmatch(r'<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d saker\[\d+\]: watching \d+ system calls.*', lines[-1])
    if not good:
        print('#', lines)
    return 0 if good else 1


run(globals())
