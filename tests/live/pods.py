# SPDX-License-Identifier: Apache-2.0
"""Alerts of processes in pods, as the Kubernetes API server changes its mind, goes away and comes back.

The server is simulated, with TLS and tokens; the pods are real control groups, named as the kubelet names them, with
processes moved into them.  Needs root.
"""
import atexit
import copy
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from apiserver import Server  # noqa: E402
from hierarchies import HIERARCHIES, groups_of, make_groups  # noqa: E402
from tap import PATIENCE, SAKER, SOURCE, TMP, check, done, equal, file, run, saker  # noqa: E402

FIELDS = ['k8smeta.pod.name', 'k8smeta.pod.uid', 'k8smeta.pod.ip', 'k8smeta.pod.label[tier]', 'k8smeta.ns.name', 'k8smeta.ns.uid',
          'k8smeta.ns.label[kubernetes.io/metadata.name]', 'k8smeta.rs.name', 'k8smeta.deployment.name', 'k8smeta.svc.name',
          'k8s.pod.annotation[team]', 'evt.time']
RULES = f'''
- rule: Shadow read
  desc: by a process of ours
  condition: evt.type in (open, openat) and fd.name = /etc/shadow and proc.pcmdline contains pods-mark
  output: shadow {' '.join('%' + f for f in FIELDS)}
  priority: WARNING
'''
WEB = 'd79acf05-a213-4506-8df7-a208a1d19755'
NEW = '00000000-1111-2222-3333-44444444pods'
PARENT = 'saker-kubepods'  # the kubelet's own may be there


def _recorded(name):
    with open(f'{SOURCE}/tests/fuzz/corpus/resource/{name}', 'rb') as f:
        return f.read()[2:]


def _certificates():
    for args in (['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=ca'],
                 ['req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 's.key', '-out', 's.csr', '-subj', '/CN=s'],
                 ['x509', '-req', '-in', 's.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 's.crt', '-days', '2',
                  '-extfile', file('s.ext', 'subjectAltName=IP:127.0.0.1')]):
        subprocess.run(['openssl', *args], check=True, capture_output=True, cwd=TMP)


def _server(**options):
    s = Server(certificate=(f'{TMP}/s.crt', f'{TMP}/s.key'), **options)
    for plural in ('pods', 'namespaces', 'services', 'deployments', 'replicasets'):
        s.load(plural, _recorded(f'{plural}-list'))
    return s


def _path(uid):
    return f'{PARENT}/besteffort/pod{uid}/{"e" * 64}'


def _groups(uid):
    return groups_of(_path(uid))


def _leave_nothing():
    for group in _groups(WEB) + _groups(NEW):
        for step in (group, *[os.path.dirname(group)] * 1):
            try:
                os.rmdir(step)
            except OSError:
                pass
    for h in HIERARCHIES:
        for step in (f'{PARENT}/besteffort', PARENT):
            try:
                os.rmdir(os.path.join(h, step))
            except OSError:
                pass


def _act(uid):
    def enter():
        for group in _groups(uid):
            with open(os.path.join(group, 'cgroup.procs'), 'w') as f:
                f.write('0')
    make_groups(_path(uid))
    subprocess.run(['sh', '-c', 'cat /etc/shadow; true', 'pods-mark'], stdout=subprocess.DEVNULL, preexec_fn=enter, check=True)


def _options(s):
    """The token in a file that may be replaced, which -K has no way to give together with a CA."""
    return ['--k8s-node', 'vm', '--kubeconfig', file('kubeconfig', json.dumps({
        'current-context': 'c', 'contexts': [{'name': 'c', 'context': {'cluster': 'k', 'user': 'u'}}],
        'clusters': [{'name': 'k', 'cluster': {'server': s.url, 'certificate-authority': 'ca.crt'}}],
        'users': [{'name': 'u', 'user': {'tokenFile': 'token'}}]}))]


class _Watch:
    """saker run beside a server."""

    def __init__(self, s):
        self.out = open(file('out'), 'wb')
        self.err = open(file('err'), 'wb')
        self.p = subprocess.Popen([SAKER, 'run', '--json', '-r', file('rules.yaml', RULES), *_options(s)],
                                  stdout=self.out, stderr=self.err, env={**os.environ, 'HOST_ROOT': ''})
        atexit.register(self.p.kill)

    def alerts(self):
        with open(self.out.name) as f:
            return [json.loads(line)['output_fields'] for line in f if line.endswith('\n')]

    def until(self, uid, **want):
        """Acts in the pod until an alert says this (dots of fields are underlines)."""
        limit = time.time() + 60 * PATIENCE
        while time.time() < limit:
            n = len(self.alerts())
            _act(uid)
            for _ in range(40):
                got = self.alerts()[n:]
                if got:
                    break
                time.sleep(0.05)
            for a in got:
                if all(a[name.replace('__', '.')] == value for name, value in want.items()):
                    return a
        raise AssertionError(f'never {want}, last {got}; {open(self.err.name).read()[-1500:]}')

    def end(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(60 * PATIENCE)
        return open(self.err.name).read()


def _pod_named(name, s):
    pod = copy.deepcopy(next(o for o in s.objects['pods'].values() if o['metadata']['uid'] == WEB))
    pod['metadata'].update(name=name, uid=NEW, namespace='shop')
    return pod


def _label(s, pod, value):
    pod = copy.deepcopy(pod)
    pod['metadata']['labels'] = {**pod['metadata']['labels'], 'tier': value}
    s.put('pods', pod)
    return {'k8smeta__pod__label[tier]': value}


def alerts_follow_what_the_server_says():
    s = _server(token='one')
    file('token', 'one')
    w = _Watch(s)

    a = w.until(WEB, k8smeta__deployment__name='web')
    equal([a[f] for f in FIELDS[:-1]],
          ['web-6b4d7c55c4-5rc8v', WEB, '172.31.252.9', 'front', 'prod', 'e65ecec8-44bc-43f2-a73b-fdf2ea29215a', 'prod',
           'web-6b4d7c55c4', 'web', ['web'], 'blue'])

    # A pod, a namespace and a service that are new.
    pod = _pod_named('new', s)
    s.put('namespaces', {'metadata': {'name': 'shop', 'uid': 'shop-uid', 'labels': {}}})
    s.put('services', {'metadata': {'name': 'till', 'namespace': 'shop', 'uid': 'till-uid'}, 'spec': {'selector': {'app': 'web'}}})
    s.put('pods', pod)
    w.until(NEW, k8smeta__pod__name='new', k8smeta__ns__uid='shop-uid', **{'k8smeta__svc__name': ['till']})
    s.delete('services', 'till')
    w.until(NEW, k8smeta__pod__name='new', **{'k8smeta__svc__name': None})

    w.until(NEW, **_label(s, pod, 'changed'))
    lists = s.n_asked('/pods.*limit=')
    equal(lists, 1)

    # Broken connections: it goes on from where it was.
    s.drop()
    w.until(NEW, **_label(s, pod, 'after-a-break'))
    equal(s.n_asked('/pods.*limit='), lists)

    # What happened meanwhile is forgotten by the server: a list.
    s.compact()
    w.until(NEW, **_label(s, pod, 'after-410'))
    check(s.n_asked('/pods.*limit=') > lists)

    # Another token, and the old one is not taken any more.
    s.token = 'two'
    file('token', 'two')
    s.drop()
    w.until(NEW, **_label(s, pod, 'with-another-token'))

    # The server is away, and comes back with an older idea of time.
    port = s.server_address[1]
    s.away()
    equal(w.until(NEW, k8smeta__pod__name='new')['k8smeta.pod.label[tier]'], 'with-another-token')
    s = _server(token='two', port=port)
    s.put('pods', pod)
    w.until(NEW, **_label(s, pod, 'after-a-restart'))
    w.until(WEB, k8smeta__deployment__name='web')

    s.delete('pods', 'new')
    w.until(NEW, k8smeta__pod__name=None)
    text = w.end()
    check('saker: the Kubernetes API server at https://127.0.0.1' in text and 'answers again' in text, text)
    s.away()


def a_recording_has_the_pods_in_it():
    s = _server(token='one')
    file('token', 'one')
    capture = f'{TMP}/pods.scap'
    command = ['sh', '-c', 'sleep 1; "$@"', 'sh', sys.executable, os.path.abspath(__file__), '--act', WEB]
    done(saker('record', capture, *_options(s), '--', *command, env={'HOST_ROOT': ''}))
    s.away()
    alerts = [json.loads(line)['output_fields'] for line in
              done(saker('replay', '--json', '-r', file('rules.yaml', RULES), capture)).splitlines()]
    equal([(a['k8smeta.pod.name'], a['k8smeta.deployment.name'], a['k8smeta.svc.name']) for a in alerts],
          [('web-6b4d7c55c4-5rc8v', 'web', ['web'])])


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
if '--act' in sys.argv:
    _act(sys.argv[-1])
    sys.exit(0)
atexit.register(_leave_nothing)
_certificates()
run(globals())
