#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""manypods.py SOCKET NAMESPACE NAME N COMMAND...: N pods NAME0, NAME1 ... on the host's network, each with one container that
is called as its pod and runs the command; prints the containers' ids"""
import os
import sys
import uuid

from cri import CRI

socket, namespace, prefix, n, *command = sys.argv[1:]
cri = CRI(socket)
for i in range(int(n)):
    name, uid = f'{prefix}{i}', str(uuid.uuid4())
    labels = {'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid}
    security = {'namespace_options': {'network': 'NODE', 'pid': 'CONTAINER', 'ipc': 'POD'}}
    pod = {'metadata': {'name': name, 'uid': uid, 'namespace': namespace, 'attempt': 0}, 'labels': labels,
           'log_directory': os.environ['RUNTIMES_RUN'] + '/logs/' + uid,
           'linux': {'cgroup_parent': '/kubepods/besteffort/pod' + uid, 'security_context': security}}
    sandbox = cri.call('RunPodSandbox', {'config': pod})['pod_sandbox_id']
    container = {'metadata': {'name': name, 'attempt': 0}, 'image': {'image': 'docker.io/library/busybox:test'},
                 'command': command[:1], 'args': command[1:], 'log_path': 'app.log',
                 'labels': {**labels, 'io.kubernetes.container.name': name}, 'linux': {'security_context': security}}
    made = cri.call('CreateContainer', {'pod_sandbox_id': sandbox, 'config': container, 'sandbox_config': pod})['container_id']
    cri.call('StartContainer', {'container_id': made})
    print(made)
