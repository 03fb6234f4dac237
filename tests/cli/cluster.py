# SPDX-License-Identifier: Apache-2.0
"""Pods and their owners from a Kubernetes API server: simulated, but what it says was recorded from a real one."""
import copy
import json
import os
import subprocess

from apiserver import Server, status
from tap import SOURCE, TMP, check, done, equal, fails, file, run, saker

PODS = ['agent-s9t7k', 'web-6b4d7c55c4-5rc8v', 'web-6b4d7c55c4-qdxs8']


def _recorded(name):
    with open(f'{SOURCE}/tests/fuzz/corpus/resource/{name}', 'rb') as f:
        return f.read()[2:]


def _server(**options):
    s = Server(**options)
    for plural in ('pods', 'namespaces', 'services', 'deployments', 'replicasets'):
        s.load(plural, _recorded(f'{plural}-list'))
    return s


def _command(s, *options, node='vm', env=None):
    """With an empty root in front of the runtimes' places: only the API server is asked."""
    root = os.path.join(TMP, 'root')
    os.makedirs(root, exist_ok=True)
    url = ['-k', s.url] if s else []
    return saker('containers', *url, *(['--k8s-node', node] if node else []), *options,
                 env={'HOST_ROOT': root, **(env or {})}, timeout=60)


def _pods(p):
    return [json.loads(line) for line in done(p).splitlines()]


def _refs(pod, kind):
    return [r['name'] for r in pod['refs'] if r['kind'] == kind]


def pods_of_this_node_are_listed_with_what_belongs_to_them():
    s = _server()
    lines = done(_command(s)).decode().splitlines()
    equal(lines[0].split(), ['NAMESPACE', 'POD', 'ADDRESS', 'OWNER', 'SERVICES'])
    equal([line.split() for line in lines[1:]],
          [['kube-system', PODS[0], '192.0.2.2', '-', '-'], ['prod', PODS[1], '172.31.252.9', 'web', 'web'],
           ['prod', PODS[2], '172.31.252.8', 'web', 'web']])
    check('/api/v1/pods?fieldSelector=spec.nodeName=vm&' in s.asked[0], s.asked)


def json_says_all_that_is_known():
    s = _server()
    pod = _pods(_command(s, '--json'))[1]
    truth = json.loads(subprocess.run(['curl', '-sf', f'{s.url}/api/v1/namespaces/prod/pods/{PODS[1]}'],
                                      capture_output=True, check=True).stdout)
    for key in ('uid', 'name', 'namespace', 'labels', 'annotations'):
        equal(pod[key], truth['metadata'][key])
    equal(pod['ip'], truth['status']['podIP'])
    equal(_refs(pod, 'ReplicaSet'), [truth['metadata']['ownerReferences'][0]['name']])
    equal((_refs(pod, 'Deployment'), _refs(pod, 'Service'), _refs(pod, 'Namespace')), (['web'], ['web'], ['prod']))


def only_what_pods_here_need_is_asked_for():
    s = _server()
    done(_command(s))
    equal(s.n_asked('/replicasets/'), 1)
    equal(s.n_asked('/deployments/'), 1)
    equal(s.n_asked('daemonsets|watch=1'), 0)
    other = _server()
    equal(_pods(_command(other, '--json', node='elsewhere')), [])
    equal(other.n_asked('/apis/apps/v1/'), 0)


def lists_come_in_pages():
    s = _server()
    template = next(iter(s.objects['services'].values()))
    for i in range(1234):
        item = copy.deepcopy(template)
        item['metadata'].update(name=f's{i:04}', namespace='prod', uid=f'uid-{i}')
        item['spec']['selector'] = {'app': 'web' if i == 1200 else 'other'}
        s.objects['services'][item['metadata']['uid']] = item
    equal(sorted(_refs(_pods(_command(s, '--json'))[1], 'Service')), ['s1200', 'web'])
    equal(s.n_asked('/services.*limit=500'), 3)
    equal(s.n_asked('/services.*continue='), 2)


def a_page_that_is_too_old_begins_the_list_anew():
    s = _server()
    for i in range(600):
        item = {'metadata': {'name': f'n{i}', 'uid': f'uid-{i}', 'resourceVersion': '1'}}
        s.objects['namespaces'][item['metadata']['uid']] = item
    asked = []

    def expire(handler):
        asked.append(1)
        if len(asked) > 1:
            return False
        return handler.give(410, status(410, 'Expired', 'too old'))
    s.answers.append(('namespaces.*continue=', expire))
    p = _command(s)
    fails(p, 1, 'HTTP status 410: too old')
    check(PODS[1] in p.stdout.decode())


def a_token_is_sent_and_a_refusal_is_told():
    s = _server(token='secret')
    equal(len(_pods(_command(s, '--json', '-K', file('token', 'secret\n')))), 3)
    check(all(t == 'Bearer secret' for t in s.tokens), s.tokens)
    fails(_command(s, '-K', file('wrong', 'guess')), 1, 'the Kubernetes API server at http://127.0.0.1', 'HTTP status 401: Unauthorized')
    fails(_command(s, '-K', f'{TMP}/no-such-file'), 1, 'no-such-file: No such file')
    s.answers.append(('/services', lambda h: h.give(403, _recorded('forbidden'))))
    p = _command(s, '-K', file('token', 'secret\n'))
    fails(p, 1, 'HTTP status 403: pods is forbidden: User "agent"')
    check(PODS[1] in p.stdout.decode())


def _certificates(*names):
    """A CA and a certificate for 127.0.0.1 that it signed, and one for a client."""
    def openssl(*args):
        subprocess.run(['openssl', *args], check=True, capture_output=True, cwd=TMP)
    for name in names:
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.crt', '-days', '2',
                '-subj', f'/CN={name}')
        for leaf, extension in (('server', 'subjectAltName=IP:127.0.0.1'), ('client', 'extendedKeyUsage=clientAuth'),
                                ('stranger', 'subjectAltName=DNS:elsewhere')):
            leaf = f'{name}-{leaf}'
            extensions = file(f'{leaf}.ext', extension)
            openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{leaf}.key', '-out', f'{leaf}.csr', '-subj', f'/CN={leaf}')
            openssl('x509', '-req', '-in', f'{leaf}.csr', '-CA', f'{name}.crt', '-CAkey', f'{name}.key', '-CAcreateserial',
                    '-out', f'{leaf}.crt', '-days', '2', '-extfile', extensions)


def _pem(name):
    return f'{TMP}/{name}.crt', f'{TMP}/{name}.key'


def certificates_are_checked_both_ways():
    _certificates('ca', 'other')
    s = _server(certificate=_pem('ca-server'), ca=f'{TMP}/ca.crt')
    mine = ':'.join(_pem('ca-client'))
    equal(len(_pods(_command(s, '--json', '-K', f'{mine}:{TMP}/ca.crt'))), 3)
    fails(_command(s, '-K', f'{mine}:{TMP}/other.crt'), 1, 'SSL peer certificate')
    fails(_command(s, '-K', mine), 1, 'SSL peer certificate')
    fails(_command(s, '-K', ':'.join(_pem('other-client')) + f':{TMP}/ca.crt'), 1, 'the Kubernetes API server at https://')
    stranger = _server(certificate=_pem('ca-stranger'))
    fails(_command(stranger, '-K', f'{mine}:{TMP}/ca.crt'), 1, 'SSL peer certificate')


def a_kubeconfig_file_is_enough():
    s = _server(token='secret', certificate=_pem('ca-server'))
    config = json.dumps({'current-context': 'c', 'contexts': [{'name': 'c', 'context': {'cluster': 'k', 'user': 'u'}}],
                         'clusters': [{'name': 'k', 'cluster': {'server': s.url, 'certificate-authority': 'ca.crt'}}],
                         'users': [{'name': 'u', 'user': {'token': 'secret'}}]})
    equal(len(_pods(_command(None, '--json', '--kubeconfig', file('kubeconfig', config), node=None,
                             env={'NODE_NAME': 'vm'}))), 3)


def answers_that_are_huge_cut_off_or_nonsense_are_survived():
    half = _recorded('pods-list')[:20000]

    def cut_off(handler):
        handler.send_response(200)
        handler.send_header('Content-Length', str(2 * len(half)))
        handler.end_headers()
        handler.wfile.write(half)
        handler.close_connection = True

    def endless(handler):
        handler.begin_stream()
        handler.chunk(b'{"items":[')
        while True:
            handler.chunk(b'{"metadata":{"name":"x"}},' * 40000)

    for answer, words in ((cut_off, ''), (endless, 'the answer is too long'),
                          (lambda h: h.give(200, half), 'the answer makes no sense'),
                          (lambda h: h.give(200, b''), 'the answer makes no sense'),
                          (lambda h: h.give(200, b'[' * 100000), 'the answer makes no sense'),
                          (lambda h: h.give(200, {'metadata': {'resourceVersion': '1'}, 'items': 7}), 'the answer makes no sense'),
                          (lambda h: h.give(500, status(500, 'InternalError', 'etcd\x1b[2J is down')), 'HTTP status 500: etcd'),
                          (lambda h: h.give(429, b'', [('Retry-After', '9999999999')]), 'HTTP status 429')):
        s = _server()
        s.answers.append(('/api/v1/pods', answer))
        p = _command(s)
        fails(p, 1, words)
        check(b'\x1b' not in p.stderr, p.stderr)


def labels_cannot_break_a_line():
    s = _server()
    pod = next(o for o in s.objects['pods'].values() if o['metadata']['name'] == PODS[1])
    pod['metadata']['namespace'] = 'pr\nod\x1b'
    pod['metadata']['labels'] = {f'l{i}': 'x' * 200 for i in range(2000)}
    pod['metadata']['annotations'] = {'long': 'y' * 100000, 'team': '\x00\x1b"\\'}
    equal(len(done(_command(s)).splitlines()), 4)
    got = [p for p in _pods(_command(s, '--json')) if p['name'] == PODS[1]][0]
    equal(len(got['labels']), 256)
    equal(list(got['annotations']), ['team'])


def what_makes_no_sense_is_said_before_anything_is_asked():
    s = _server()
    fails(_command(s, node=None, env={'NODE_NAME': ''}), 2, 'the name of this node is not known')
    fails(saker('containers', '-k', '127.0.0.1:80', '--k8s-node', 'vm'), 2, 'such as https://')
    fails(saker('containers', '-k', 'http://192.0.2.1', '-K', '/token', '--k8s-node', 'vm'), 2, 'only sent over https')
    equal(s.asked, [])


def kubectl_takes_the_simulated_server_for_a_real_one():
    """So that what the other tests show is not only what the simulation makes up."""
    s = _server()
    try:
        p = subprocess.run(['kubectl', '--server', s.url, '--cache-dir', f'{TMP}/kube', 'get', 'pods', '-A', '-o', 'json',
                            '--field-selector', 'spec.nodeName=vm'], capture_output=True, timeout=60)
    except FileNotFoundError:
        return
    equal([o['metadata']['name'] for o in json.loads(done(p))['items']], PODS)


run(globals())
