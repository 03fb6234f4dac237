# SPDX-License-Identifier: Apache-2.0
"""Alerts from the first moments of containers whose runtime is slow, forbidden, hanging or away.

The runtime is simulated: it answers like Docker.  The containers are real control groups, named
as Docker names them, with processes moved into them.  Needs root.
"""
import atexit
import glob
import json
import os
import random
import signal
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, equal, file, run  # noqa: E402

RULES = '''
- rule: Shadow read
  desc: the first thing that a container does
  condition: evt.type in (open, openat) and fd.name = /etc/shadow and container.id != host
  output: shadow %proc.cmdline id=%container.id name=%container.name image=%container.image.repository tag=%container.image.tag
  priority: WARNING
- rule: Other image
  desc: never true of containers of the image that all have
  condition: >
    evt.type = execve and evt.rawres = 0 and container.id != host and not container.image.repository = sim/shop
  output: other %proc.cmdline %container.id
  priority: WARNING
- rule: Shell
  desc: what every runtime failure leaves alone
  condition: evt.type = execve and evt.rawres = 0 and container.id != host and proc.args contains pending-mark
  output: shell %proc.cmdline id=%container.id status=%container.metadata_status
  priority: NOTICE
'''
N = int(os.environ.get('SAKER_CONTAINERS', 200))
PARALLEL = 8
# Where this machine is a container itself, its name is in every hierarchy.
HIERARCHIES = [os.path.dirname(p) for p in glob.glob('/sys/fs/cgroup/cgroup.procs') + glob.glob('/sys/fs/cgroup/*/cgroup.procs')]


class _Docker(socketserver.ThreadingUnixStreamServer):
    """Knows every container that was started; answers after so many milliseconds."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, name, delay_ms):
        self.path = os.path.join(TMP, name)
        self.delay_ms = delay_ms
        super().__init__(self.path, _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def address_string(self):
        return ''

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path
        if 'events' in path:
            self.send_response(200)
            self.send_header('Transfer-Encoding', 'chunked')
            self.end_headers()
            time.sleep(600)
            return
        if '/containers/' in path and path.endswith('/json'):
            low, high = self.server.delay_ms
            time.sleep(random.uniform(low, high) / 1000)
            self._give(_inspection(path.split('/')[-2]))
        elif '/containers/json' in path:
            self._give([])
        else:
            self._give({})

    def _give(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _inspection(short):
    return {'Id': short + 'f' * 52, 'Name': f'/name-{short}', 'Image': 'sha256:' + '0' * 64, 'Created': '2024-01-01T00:00:00Z',
            'State': {'Running': True}, 'Config': {'Image': 'sim/shop:1.2', 'Labels': {}, 'Env': []},
            'HostConfig': {'Privileged': False, 'PidMode': 'host'}, 'Mounts': [], 'NetworkSettings': {'IPAddress': '172.17.0.2'}}


def _groups(name):
    return [os.path.join(h, 'docker', name) for h in HIERARCHIES]


def _leave_nothing():
    for group in glob.glob('/sys/fs/cgroup/docker/0*f/') + glob.glob('/sys/fs/cgroup/*/docker/0*f/'):
        os.rmdir(group)
    for group in _groups(''):
        try:
            os.rmdir(group)
        except OSError:
            pass  # somebody else's are in it


def _start(short):
    """A container whose first act is to read the shadow file; the child moves itself before it execs."""
    groups = _groups(short + 'f' * 52)
    for group in groups:
        os.makedirs(group)
        for name in ('cpuset.cpus', 'cpuset.mems'):  # without them none may enter
            own, above = os.path.join(group, name), os.path.join(os.path.dirname(group), name)
            if os.path.exists(own) and not open(own).read().strip():
                top = open(os.path.join(os.path.dirname(os.path.dirname(group)), name)).read()
                for path in (above, own):
                    with open(path, 'w') as f:
                        f.write(top)

    def enter():
        for group in groups:
            with open(os.path.join(group, 'cgroup.procs'), 'w') as f:
                f.write('0')

    p = subprocess.Popen(['sh', '-c', 'cat /etc/shadow', 'pending-mark'], stdout=subprocess.DEVNULL, preexec_fn=enter)
    return p, groups


def _start_many(n, first):
    ids = [f'{first + i:012x}' for i in range(n)]
    running = []
    for short in ids:
        running.append(_start(short))
        if len(running) >= PARALLEL:
            _end(*running.pop(0))
    for r in running:
        _end(*r)
    return ids


def _end(p, groups):
    p.wait()
    for group in groups:
        for _ in range(200):
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.01)


class _Watch:
    def __init__(self, socket, *args):
        self.out = open(file('out'), 'wb')
        self.err = open(file('err'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '--json', '-a', '-r', file('rules.yaml', RULES), '--runtime-socket', f'docker={socket}',
                                   *args], stdout=self.out, stderr=self.err, env={**os.environ, 'HOST_ROOT': ''})
        atexit.register(self.p.kill)
        for _ in range(300):
            time.sleep(0.1)
            if b'watching' in open(self.err.name, 'rb').read():
                break
        time.sleep(3)

    def alerts(self):
        with open(self.out.name) as f:
            return [json.loads(line) for line in f if line.endswith('\n')]

    def until(self, ids, seconds=30):
        limit = time.time() + seconds
        while time.time() < limit and len(_of(self.alerts(), 'Shadow read', ids)) < len(ids):
            time.sleep(0.05)

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(60 * PATIENCE)
        text = open(self.err.name).read()
        for line in text.splitlines():
            if 'wait' in line or 'until' in line or 'in vain' in line or 'socket' in line:
                print('#', line)
        return self.alerts(), text


def _of(alerts, rule, ids):
    return [a for a in alerts if a['rule'] == rule and a['output_fields']['container.id'] in ids]


def every_alert_of_a_first_moment_names_its_container():
    w = _Watch(_Docker('slow.sock', (5, 300)).path, '--metadata-deadline', '5000')
    ids = _start_many(N, 0x10000)
    w.until(ids)
    alerts, _ = w.end()
    shadow = _of(alerts, 'Shadow read', ids)
    equal(sorted(a['output_fields']['container.id'] for a in shadow), ids)
    for a in shadow:
        f = a['output_fields']
        equal((f['container.name'], f['container.image.repository'], f['container.image.tag']),
              (f'name-{f["container.id"]}', 'sim/shop', '1.2'))
        check('saker' not in a, a)
    equal(_of(alerts, 'Other image', ids), [])


def _fires(alerts, ids, status):
    """The rules that look at no metadata, once for each container, in spite of all; and why it is missing."""
    shadow = _of(alerts, 'Shadow read', ids)
    equal(sorted(a['output_fields']['container.id'] for a in shadow), ids)
    equal({a['saker']['metadata_status'] for a in shadow}, {status})
    equal({a['output_fields']['container.name'] for a in shadow}, {None})
    shell = _of(alerts, 'Shell', ids)
    equal(len(shell), len(ids))
    equal({a['output_fields']['container.metadata_status'] for a in shell}, {status})
    # What is null is not that image: as the reference has it, the negated rule fires then.
    check(len(_of(alerts, 'Other image', ids)) >= len(ids), alerts)


def a_hanging_runtime_disarms_no_rule():
    w = _Watch(_Docker('hangs.sock', (600000, 600000)).path, '--metadata-deadline', '300')
    ids = _start_many(10, 0x20000)
    w.until(ids)
    _fires(w.end()[0], ids, 'pending_timeout')


def without_a_runtime_no_rule_is_disarmed_and_nothing_waits():
    w = _Watch(os.path.join(TMP, 'nothing.sock'))
    ids = _start_many(10, 0x30000)
    w.until(ids)
    alerts, text = w.end()
    _fires(alerts, ids, 'no_runtime')
    check('events waited for metadata' not in text, text)


def a_forbidden_socket_is_named_and_disarms_no_rule():
    docker = _Docker('forbidden.sock', (5, 5))
    os.chown(docker.path, 12345, 12345)
    os.chmod(docker.path, 0o600)
    w = _Watch(docker.path)
    ids = _start_many(10, 0x40000)
    w.until(ids)
    alerts, text = w.end()
    _fires(alerts, ids, 'permission_denied')
    equal(text.count('forbidden.sock'), 1)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
atexit.register(_leave_nothing)
run(globals())
