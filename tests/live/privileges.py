# SPDX-License-Identifier: Apache-2.0
"""saker run and saker record with the least they can do with: rights, system calls, memory."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, done, equal, fails, file, run, saker, skip  # noqa: E402

RULES = '''
- rule: Started
  desc: programs
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-privilege-mark
  output: started %proc.args by %user.uid cwd=%proc.cwd parent=%proc.pexepath
  priority: INFO
- rule: Changed
  desc: of a descriptor whose opening nobody saw
  condition: evt.type = fchmod and fd.name endswith saker-privilege-healed
  output: changed %fd.name
  priority: INFO
'''
KERNEL = tuple(int(n) for n in os.uname().release.split('.')[:2])
CAPS = {'dac_read_search': 2, 'sys_ptrace': 19, 'perfmon': 38, 'bpf': 39}
KEPT = 1 << CAPS['dac_read_search'] | 1 << CAPS['sys_ptrace']
# What older kernels ask for besides: to lock memory, and at each look into a map.
if KERNEL < (5, 11):
    CAPS['sys_resource'] = 24
if KERNEL < (5, 19):
    KEPT |= 1 << CAPS['bpf']
PARANOID = '/proc/sys/kernel/perf_event_paranoid'
MEMORY = '/sys/fs/cgroup/memory'
UNIFIED = '/sys/fs/cgroup/unified'


def _as_nobody(*names):
    """An unprivileged user with these capabilities, and never any other."""
    plus = ','.join('+' + x for x in names)
    return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', f'--inh-caps=-all,{plus}',
            f'--ambient-caps=-all,{plus}', f'--bounding-set=-all,{plus}']


class _Watch:
    n = 0
    reload = ['--no-reload']

    def __init__(self, *args, before=(), **kwargs):
        _Watch.n += 1
        self.out = open(file(f'p-out{_Watch.n}'), 'wb')
        self.p = subprocess.Popen([*before, SAKER, 'run', *self.reload, '-r', file('privileges.yaml', RULES),
                                   *args],
                                  stdout=self.out, stderr=subprocess.PIPE, **kwargs)
        self.until_alerted('ready')

    def text(self):
        with open(self.out.name) as f:
            return f.read()

    def until_alerted(self, mark):
        end = time.time() + 60 * PATIENCE
        while time.time() < end and self.p.poll() is None:
            subprocess.run(['/bin/true', f'saker-privilege-mark-{mark}'], check=True)
            if f'mark-{mark}' in self.text():
                return
        raise AssertionError(f'no alert: {self.p.stderr.read() if self.p.poll() is not None else ""}')

    def status(self):
        with open(f'/proc/{self.p.pid}/status') as f:
            return dict(line.rstrip('\n').split(':\t', 1) for line in f)

    def end(self):
        self.p.send_signal(signal.SIGINT)
        said = self.p.communicate(timeout=60 * PATIENCE)[1].decode()
        equal(self.p.returncode, 0, said)
        check('refused' not in said, said)
        return said


class _Reloading(_Watch):
    reload = []


def _check_confined(w, kept=KEPT):
    s = w.status()
    for which in ('CapPrm', 'CapEff'):
        equal((which, int(s[which], 16)), (which, kept))
    for which in ('CapInh', 'CapAmb'):
        equal((which, int(s[which], 16)), (which, 0))
    equal(s['Seccomp'], '2')
    equal(s['NoNewPrivs'], '1')


def _with_paranoid(level, fn):
    with open(PARANOID) as f:
        before = f.read()
    with open(PARANOID, 'w') as f:
        f.write(level)
    try:
        fn()
    finally:
        with open(PARANOID, 'w') as f:
            f.write(before)


def four_capabilities_are_enough_and_two_stay():
    def watch():
        w = _Watch(before=_as_nobody(*CAPS))
        equal(w.status()['Uid'].split()[1], '65534')
        _check_confined(w)
        w.until_alerted('once-more')
        said = w.end()
        check(re.search(r'watching \d+ system calls with \d+ kernel programs and 16384 KiB', said), said)
    _with_paranoid('3', watch)


def who_may_load_other_rules_keeps_what_loads_programs():
    w = _Reloading()
    _check_confined(w, KEPT | 1 << CAPS['bpf'] | 1 << CAPS['perfmon'])
    w.end()


def root_keeps_no_more():
    w = _Watch()
    _check_confined(w)
    equal(int(w.status()['CapBnd'], 16), KEPT)
    w.end()


def what_was_there_before_is_known_of_other_users_too():
    w = _Watch(before=_as_nobody(*CAPS))
    w.until_alerted('known')  # the first may be of one that began before, and was over by the picture
    line = w.text().splitlines()[-1]
    check(f'cwd={os.getcwd()}' in line and f'parent={os.path.realpath("/proc/self/exe")}' in line, line)
    w.end()


def healing_works_confined():
    w = _Watch('--syscalls', '!openat', before=_as_nobody(*CAPS))
    with open(file('saker-privilege-healed'), 'wb') as f:
        end = time.time() + 30 * PATIENCE
        while time.time() < end and f'changed {f.name}' not in w.text():
            os.fchmod(f.fileno(), 0o600)
            time.sleep(0.05)
        check(f'changed {f.name}' in w.text(), w.text()[-500:])
    _check_confined(w)
    w.end()


HOST_RULE = '''
- rule: To a named host
  desc: a connection to an address of that name
  condition: evt.type = connect and fd.sip.name = saker-test.example and fd.sport = %d
  output: connected to %%fd.sip.name
  priority: INFO
'''


def names_of_hosts_are_asked_for_confined():
    """Without a network the resolver has no answer, and is asked again; then the file has the name."""
    hosts = file('hosts', '127.0.0.1 localhost\n')
    os.chmod(hosts, 0o644)
    with socket.create_server(('127.0.0.1', 0)) as s:
        port = s.getsockname()[1]
        w = _Watch('-r', file('host.yaml', HOST_RULE % port), before=[
            'unshare', '-nm', 'sh', '-c', f'mount --bind {hosts} /etc/hosts && exec "$@"', 'sh', *_as_nobody(*CAPS)])
        _check_confined(w)
        check('connected' not in w.text())
        with open(hosts, 'a') as f:
            f.write('127.0.0.1 saker-test.example\n')
        end = time.time() + 60 * PATIENCE
        while time.time() < end and 'connected' not in w.text():
            socket.create_connection(('127.0.0.1', port)).close()
            time.sleep(0.1)
        check('connected to saker-test.example' in w.text(), w.text()[-500:])
        _check_confined(w)
        w.end()


def less_than_that_says_what_it_takes():
    for missing in ('bpf', 'perfmon'):
        some = [x for x in CAPS if x != missing]
        p = subprocess.run([*_as_nobody(*some), SAKER, 'run', '-d', '1'], capture_output=True)
        fails(p, 1, 'CAP_BPF', 'CAP_PERFMON')


def a_recording_takes_no_more_and_its_command_is_not_confined():
    folder = os.path.join(TMP, 'of-nobody')
    os.makedirs(folder, exist_ok=True)
    os.chown(folder, 65534, 65534)
    capture = os.path.join(folder, 'r.scap')
    told = os.path.join(folder, 'told')
    script = f'grep Seccomp: /proc/self/status >{told}; exec /bin/true saker-privilege-mark-r'
    p = subprocess.run([*_as_nobody(*CAPS), SAKER, 'record', capture, '--', 'sh', '-c', script],
                       capture_output=True)
    done(p)
    check(b'refused' not in p.stderr, p.stderr)
    with open(told) as f:
        equal(f.read().split(), ['Seccomp:', '0'])
    out = done(saker('replay', capture, '-r', file('privileges.yaml', RULES))).decode()
    check('started saker-privilege-mark-r by 65534' in out, out)


def ring_sizes_are_what_was_asked_for():
    w = _Watch('--ring-size', '1M')
    check(' 3072 KiB of ring buffers' in w.end())
    w = _Watch('--ring-size', '64K,1M,2M')
    check(' 3136 KiB of ring buffers' in w.end())


def _memory_group():
    """A control group whose memory can be limited, of either version, and the file for its limit."""
    if os.path.exists(f'{MEMORY}/memory.limit_in_bytes'):
        return f'{MEMORY}/saker-privileges-{os.getpid()}', 'memory.limit_in_bytes'
    try:
        with open(f'{UNIFIED}/cgroup.subtree_control', 'w') as f:
            f.write('+memory')
    except OSError:
        skip('no memory hierarchy of control groups')
    return f'{UNIFIED}/saker-privileges-{os.getpid()}', 'memory.max'


def rings_shrink_to_the_memory_there_is():
    if KERNEL < (5, 11):
        skip('before 5.11 what maps take was not the memory of the control group')
    group, limit = _memory_group()
    os.mkdir(group)
    try:
        with open(f'{group}/{limit}', 'w') as f:
            f.write('96M')

        def enter():
            with open(f'{group}/cgroup.procs', 'w') as f:
                f.write(str(os.getpid()))
        w = _Watch('--ring-size', '256M', preexec_fn=enter)
        said = w.end()
        told = re.search(r'no memory for 786432 KiB of ring buffers: (\d+) KiB must do', said)
        check(told and 64 <= int(told[1]) <= 96 << 10, said)
        check(f'kernel programs and {told[1]} KiB of ring buffers' in said, said)
    finally:
        os.rmdir(group)


def two_at_a_time_do_not_mind_each_other():
    a, b = _Watch(), _Watch()
    a.until_alerted('for-both')
    b.until_alerted('for-both')
    a.end()
    b.end()


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
os.chmod(TMP, 0o755)
run(globals())
