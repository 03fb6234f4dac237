# SPDX-License-Identifier: Apache-2.0
"""What a large cluster costs one node: memory of saker record and bytes from a simulated API server.

usage: bench/pods.py [PODS OF THE CLUSTER [PODS OF THIS NODE [SERVICES]]]   (root; SAKER is the program)
"""
import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'cli'))
from apiserver import Server  # noqa: E402

SAKER = os.environ.get('SAKER', os.path.join(HERE, '..', 'build', 'saker'))
SECONDS = 20


def _recorded(name):
    with open(os.path.join(HERE, '..', 'tests', 'fuzz', 'corpus', 'resource', f'{name}-list'), 'rb') as f:
        return json.loads(f.read()[2:])['items']


def _cluster(s, n_pods, n_here, n_services):
    pod, service, replicas, deployment = _recorded('pods')[1], _recorded('services')[1], _recorded('replicasets')[0], _recorded('deployments')[0]
    n_spaces = max(1, n_pods // 100)
    for i in range(n_spaces):
        s.objects['namespaces'][f'ns{i}'] = {'metadata': {'name': f'ns{i}', 'uid': f'ns-uid-{i}', 'resourceVersion': '1'}}
    for i in range(n_services):
        item = copy.deepcopy(service)
        item['metadata'].update(name=f's{i}', uid=f'svc-uid-{i}', namespace=f'ns{i % n_spaces}')
        s.objects['services'][item['metadata']['uid']] = item
    for i in range(n_pods):
        item = copy.deepcopy(pod)
        item['metadata'].update(name=f'p{i}', uid=f'pod-uid-{i}', namespace=f'ns{i % n_spaces}')
        item['metadata']['ownerReferences'][0].update(name=f'rs{i // 10}', uid=f'rs-uid-{i // 10}')
        item['spec']['nodeName'] = 'vm' if i < n_here else f'node{i % 200}'
        s.objects['pods'][item['metadata']['uid']] = item
    for i in range(n_pods // 10 + 1):
        item = copy.deepcopy(replicas)
        item['metadata'].update(name=f'rs{i}', uid=f'rs-uid-{i}', namespace=f'ns{i % n_spaces}')
        s.objects['replicasets'][item['metadata']['uid']] = item
    s.objects['deployments'] = {deployment['metadata']['uid']: deployment}


def _rss_kb(pid):
    with open(f'/proc/{pid}/status') as f:
        return int(next(line for line in f if line.startswith('VmRSS')).split()[1])


def _run(*options):
    with tempfile.NamedTemporaryFile() as out:
        p = subprocess.Popen([SAKER, 'record', out.name, '--filter', 'proc.name = nobody', *options],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(SECONDS)
        rss = _rss_kb(p.pid)
        p.send_signal(signal.SIGINT)
        p.wait()
        return rss


def main():
    n_pods, n_here, n_services = [int(a) for a in sys.argv[1:]] + [10000, 50, 2000][len(sys.argv) - 1:]
    s = Server()
    _cluster(s, n_pods, n_here, n_services)
    without = _run()
    rss = _run('-k', s.url, '--k8s-node', 'vm')
    print(f'{n_pods} pods, {n_here} here, {n_services} services: {s.n_bytes / 1e6:.1f} MB in {len(s.asked)} answers; '
          f'{rss / 1024:.1f} MiB of memory, {without / 1024:.1f} MiB without')
    print(f'watches: {s.n_asked("watch=1")} (one a kind: 3)')


main()
