# SPDX-License-Identifier: Apache-2.0
"""The first millisecond: many containers, started side by side, whose first act is to read the shadow file.  One in five is
real: of docker, podman, containerd and pods of CRI; the others are processes in control groups, whose runtime is simulated and
takes 5 to 300 ms to answer.  Every alert names its container, and a recording of it all replays to the same alerts.

SAKER_CONTAINERS=1000 is the whole of it; without, a twentieth."""
import atexit
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import threading
import time

import real
from real import CRI, ENV, HERE, IMAGE, SOCKETS, STATE, docker, podman, sh
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, saker

sys.path.insert(0, os.path.join(HERE, '..', 'live'))
import simulated  # noqa: E402
from recorder import until_it_records  # noqa: E402

N = int(os.environ.get('SAKER_CONTAINERS', 50))
SHARES = {'docker': N * 8 // 100, 'podman': N * 4 // 100, 'cri': N * 4 // 100}
SHARES['ctr'] = N // 5 - sum(SHARES.values())
DEADLINE_MS = '60000'  # on a machine that is busy otherwise nobody answers in time
FIRST_ACT = ['sh', '-c', 'cat /etc/shadow']
FIELDS = ['container.id', 'container.name', 'container.image.repository', 'container.image.tag', 'k8s.pod.name', 'k8s.ns.name']
SAYS = ' '.join('%' + f for f in FIELDS)
ACT = 'evt.type in (open, openat) and fd.name = /etc/shadow and proc.args = /etc/shadow and container.id != host'
RULES = f'''
- rule: Shadow read
  desc: the first act
  condition: {ACT}
  output: shadow {SAYS}
  priority: WARNING
- rule: Other image
  desc: never true of what is started here
  condition: {ACT} and not container.image.repository in (busybox, docker.io/library/busybox, {simulated.IMAGE})
  output: image {SAYS}
  priority: WARNING
- rule: Other namespace
  desc: never true of the pods that are started here
  condition: {ACT} and container.name startswith cri0 and not k8s.ns.name = moments
  output: namespace {SAYS}
  priority: WARNING
'''


class _Watch:
    """saker run, and when each of its alerts came."""

    def __init__(self, sockets):
        self.said = open(file('said'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '--json', '-a', '-r', file('rules.yaml', RULES), '--metadata-deadline', DEADLINE_MS,
                                   *sockets], stdout=subprocess.PIPE, stderr=self.said, env=ENV)
        atexit.register(self.p.kill)
        self.alerts = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        while b'watching' not in open(self.said.name, 'rb').read() and self.p.poll() is None:
            time.sleep(0.1)

    def _read(self):
        for line in self.p.stdout:
            self.alerts.append((time.time(), json.loads(line)))

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(120 * PATIENCE)
        self.reader.join()
        said = open(self.said.name).read()
        equal(self.p.returncode, 0, said)
        return said


def _name(kind, i):
    """Short, as only twelve bytes of an id of plain containerd count."""
    return f'{kind}{os.getpid():06x}{i}'


def _start_docker(i):
    return docker('run', '-d', '--network', 'none', '--name', _name('docker', i), 'busybox:test', *FIRST_ACT).strip()


def _start_podman(i):
    return podman('run', '-d', '--network', 'none', '--name', _name('podman', i), IMAGE, *FIRST_ACT).strip()


def _start_ctr(i):
    sh('ctr', '-a', CRI, 'run', '-d', IMAGE, _name('ctr', i), *FIRST_ACT)
    return _name('ctr', i)


def _start_pods(n):
    """All of them by one client, which takes long to begin."""
    said = sh('/usr/bin/python3', f'{HERE}/manypods.py', CRI, 'moments', _name('cri', ''), str(n), *FIRST_ACT, timeout=600)
    return said.split()


def _start_all():
    """Every kind side by side; the full ids by kind."""
    ids = {'cri': [], 'sim': []}

    def one_by_one(kind, start):
        ids[kind] = [start(i) for i in range(SHARES[kind])]

    with concurrent.futures.ThreadPoolExecutor(5) as lanes:
        work = [lanes.submit(one_by_one, *x) for x in (('docker', _start_docker), ('podman', _start_podman), ('ctr', _start_ctr))]
        work.append(lanes.submit(lambda: ids['cri'].extend(_start_pods(SHARES['cri']))))
        work.append(lanes.submit(lambda: ids['sim'].extend(simulated.start_many(N - N // 5, 0x60000))))
        for w in work:
            w.result()
    return ids


def _wanted(ids):
    """What alerts have to say, by container; container.id is as the kernel's group has it: twelve bytes of a long one."""
    of_cri = {}
    for i, full in enumerate(ids['cri']):
        of_cri[full[:12]] = (full[:12], _name('cri', i), 'docker.io/library/busybox', 'test', f'{_name("cri", i)}', 'moments')
    none = (None, None)
    return {**of_cri,
            **{f[:12]: (f[:12], _name('docker', i), 'busybox', 'test', *none) for i, f in enumerate(ids['docker'])},
            **{f[:12]: (f[:12], _name('podman', i), 'docker.io/library/busybox', 'test', *none)
               for i, f in enumerate(ids['podman'])},
            **{f: (f, f, 'docker.io/library/busybox', 'test', *none) for f in ids['ctr']},
            **{f: (f, f'name-{f}', simulated.IMAGE, simulated.TAG, *none) for f in ids['sim']}}


def _of_ours(alerts, rule, wanted):
    return [a for a in alerts if a['rule'] == rule and a['output_fields']['container.id'] in wanted]


def _says(alert):
    return tuple(alert['output_fields'].get(f) for f in FIELDS)


def _report(delays_ms, seconds, said):
    delays_ms.sort()
    at = [delays_ms[min(len(delays_ms) - 1, int(len(delays_ms) * part))] for part in (0.5, 0.99)]
    print(f'# {N} containers in {seconds:.1f} s, of them real: {SHARES}')
    print(f'# from the system call to the alert: half at most {at[0]:.0f} ms, 99 of 100 at most {at[1]:.0f} ms, the longest '
          f'{delays_ms[-1]:.0f} ms')
    for line in said.splitlines():
        if 'events waited for metadata' in line or 'it came' in line or 'in vain' in line or 'look-ups' in line:
            print('#', line)


def _end_all():
    """Those of plain containerd nobody else ends."""
    for i in range(SHARES['ctr']):
        for what in (('task', 'rm', '-f'), ('container', 'rm')):
            subprocess.run(['ctr', '-a', CRI, *what, _name('ctr', i)], capture_output=True)


seen = {}


def every_alert_of_a_first_moment_names_its_container():
    sh('ctr', '-a', CRI, 'image', 'import', f'{STATE}/image/busybox.tar')
    sockets = [*SOCKETS, '--runtime-socket', f'docker={simulated.Docker("sim.sock", (5, 300)).path}']
    seen['capture'] = os.path.join(TMP, 'moments.scap')
    record = subprocess.Popen([SAKER, 'record', seen['capture'], '--ring-size', '64M', *sockets], stderr=subprocess.PIPE, env=ENV)
    w = _Watch(sockets)
    until_it_records(record, seen['capture'])
    start = time.time()
    try:
        wanted = seen['wanted'] = _wanted(_start_all())
    finally:
        _end_all()
    seconds = time.time() - start
    end = time.time() + 90 * PATIENCE
    while time.time() < end and len(_of_ours([a for _, a in w.alerts], 'Shadow read', wanted)) < N:
        time.sleep(0.1)
    time.sleep(1)
    record.send_signal(signal.SIGINT)
    seen['recorded'] = record.communicate(timeout=120 * PATIENCE)[1].decode()
    said = w.end()
    alerts = [a for _, a in w.alerts]
    _report([1000 * (at - _event_time(a)) for at, a in w.alerts if a in _of_ours([a], 'Shadow read', wanted)], seconds, said)
    found = _of_ours(alerts, 'Shadow read', wanted)
    wrong = [(_says(a), a.get('saker')) for a in found if _says(a) != wanted[a['output_fields']['container.id']]]
    equal((len(wanted), len(found), wrong), (N, N, []))
    equal({a['output_fields']['container.id'] for a in found}, set(wanted))
    equal([a for a in alerts if a['rule'] != 'Shadow read' and a['output_fields']['container.id'] in wanted], [])


def _event_time(alert):
    whole, fraction = alert['time'].rstrip('Z').split('.')
    return time.mktime(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) - time.timezone + float('0.' + fraction)


def a_recording_of_it_all_replays_to_the_same_alerts():
    check('wanted' in seen, 'nothing was recorded')
    check(' 0 lost' in seen['recorded'], seen['recorded'])
    out = done(saker('replay', seen['capture'], '--json', '-a', '-r', file('rules.yaml', RULES), '--metadata-deadline', DEADLINE_MS))
    found = _of_ours([json.loads(line) for line in out.decode().splitlines()], 'Shadow read', seen['wanted'])
    equal(sorted(_says(a)[0] for a in found), sorted(seen['wanted']))
    equal([_says(a) for a in found if _says(a) != seen['wanted'][a['output_fields']['container.id']]], [])
    rest = [json.loads(line) for line in out.decode().splitlines()]
    equal([a for a in rest if a['rule'] != 'Shadow read' and a['output_fields']['container.id'] in seen['wanted']], [])


real.with_runtimes(globals())
