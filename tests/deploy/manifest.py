# SPDX-License-Identifier: Apache-2.0
"""Files of deploy/ by what others say of their form: the manifest by Kubernetes' own description of its kinds, the list of system
calls by what Saker makes."""
import copy
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import SOURCE, check, equal, run  # noqa: E402

try:
    import yaml
    from jsonschema import Draft7Validator
except ImportError as e:
    print(f'1..0 # SKIP needs {e.name}')
    sys.exit(0)

CAPABILITIES = ['BPF', 'PERFMON', 'SYS_PTRACE', 'DAC_READ_SEARCH']


def _read(path):
    with open(f'{SOURCE}/{path}') as f:
        return f.read()


def _documents():
    return list(yaml.safe_load_all(_read('deploy/kubernetes/saker.yaml')))


def _errors(document):
    schema = json.loads(_read('tests/deploy/kubernetes.json'))
    checker = Draft7Validator({**schema['kinds'][document['kind']], 'definitions': schema['definitions']})
    return [e.message for e in checker.iter_errors(document)]


def kubernetes_takes_the_manifest():
    documents = _documents()
    equal([d['kind'] for d in documents], ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'DaemonSet'])
    for d in documents:
        equal(_errors(d), [])


def it_would_not_take_anything():
    for d in _documents():
        wrong = copy.deepcopy(d)
        wrong['metadata']['labls'] = {}
        check(_errors(wrong), wrong)
    wrong = _documents()[-1]
    wrong['spec']['template']['spec']['containers'][0]['securityContext']['runAsUser'] = 'root'
    check(_errors(wrong))


def names_in_it_are_of_each_other():
    namespace, account, role, binding, daemonset = _documents()
    pod = daemonset['spec']['template']
    equal({d['metadata']['namespace'] for d in (account, daemonset)} | {binding['subjects'][0]['namespace']},
          {namespace['metadata']['name']})
    equal((binding['roleRef']['name'], binding['subjects'][0]['name'], pod['spec']['serviceAccountName']),
          (role['metadata']['name'], account['metadata']['name'], account['metadata']['name']))
    equal(daemonset['spec']['selector']['matchLabels'], pod['metadata']['labels'])
    equal({m['name'] for m in pod['spec']['containers'][0]['volumeMounts']}, {v['name'] for v in pod['spec']['volumes']})


def all_give_the_same_capabilities():
    container = _documents()[-1]['spec']['template']['spec']['containers'][0]
    equal(container['securityContext']['capabilities'], {'drop': ['ALL'], 'add': CAPABILITIES})
    unit = _read('deploy/systemd/saker.service')
    for key in ('AmbientCapabilities', 'CapabilityBoundingSet'):
        equal(re.findall(rf'^{key}=(.*)', unit, re.M), [' '.join(f'CAP_{c}' for c in CAPABILITIES)])
    for runtime in ('docker', 'podman'):
        equal(re.findall(r'--cap-add (\w+)', _read(f'deploy/run/{runtime}')), CAPABILITIES)
    equal(re.findall(r'--cap-add (\w+)', _read('deploy/run/docker-sysadmin')), ['SYS_ADMIN', *CAPABILITIES[2:]])
    equal(re.findall(r'for add in (.*);', _read('deploy/run/ctr')), [' '.join(CAPABILITIES)])
    equal(re.findall(r'setcap (\S+)\+ep', _read('deploy/Dockerfile')), [','.join(f'cap_{c.lower()}' for c in CAPABILITIES)])


def what_saker_keeps_is_in_the_list():
    """All calls that its own filter leaves it, but those of starting programs, for alerts to a command."""
    rules = re.sub(r'#if IS_SANITIZED.*?#endif', '', _read('src/app/privilege.c'), flags=re.S)
    kept = set(re.findall(r'^\tCALL(?:_IF)?\((\w+), (?!NEED_PROGRAMS,)', rules, re.M))
    check(len(kept) > 50, kept)
    listed = {name for row in json.loads(_read('deploy/seccomp.json'))['syscalls'] for name in row['names']}
    equal(sorted(kept - listed), [])


run(globals())
