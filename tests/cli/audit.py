# SPDX-License-Identifier: Apache-2.0
"""Kubernetes audit events without a plugin: posted over HTTP, or from files."""
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from tap import SAKER, check, done, equal, fails, file, run, saker

RULES = '''
- required_plugin_versions:
  - {name: k8saudit, version: 0.7.0}
  - {name: json, version: 0.7.0}
- rule: privileged
  desc: d
  condition: jevt.value[/stage] = ResponseComplete and ka.verb = create and ka.req.pod.containers.privileged intersects (true)
  output: user=%ka.user.name images=%ka.req.pod.containers.image[0] code=%ka.response.code
  priority: WARNING
  source: k8s_audit
- rule: exec
  desc: d
  condition: ka.target.subresource in (exec, attach)
  output: command=%ka.uri.param[command]
  priority: NOTICE
  source: k8s_audit
'''


def _event(**more):
    return {'kind': 'Event', 'auditID': 'x', 'stage': 'ResponseComplete', 'stageTimestamp': '2024-05-01T10:00:00.000002Z',
            'verb': 'create', 'user': {'username': 'eve'}, **more}


POD = _event(requestObject={'spec': {'containers': [{'image': 'nginx', 'securityContext': {'privileged': True}}]}},
             responseStatus={'code': 201})
EXEC = _event(objectRef={'resource': 'pods', 'subresource': 'exec'}, requestURI='/api/v1/x/exec?command=ls&stdin=true')
EVENTS = {'kind': 'EventList', 'items': [POD, EXEC]}


def _free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class _Running:
    """One that listens, until its first event has come through."""

    def __init__(self, *options):
        self.port = _free_port()
        self.program = subprocess.Popen(
            [SAKER, 'run', '--disable-source', 'syscall', '--json', '--rules', file('rules.yaml', RULES), '-o',
             'saker.k8s_audit.enabled=true', '-o', f'saker.k8s_audit.listen_port={self.port}', *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def post(self, body, path='/k8s-audit', content='application/json', method='POST'):
        request = urllib.request.Request(f'http://127.0.0.1:{self.port}{path}', body, {'Content-Type': content}, method=method)
        for _ in range(600):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status
            except urllib.error.HTTPError as e:
                return e.code
            except urllib.error.URLError:
                time.sleep(0.1)
        return None

    def alerts(self, n):
        return [json.loads(self.program.stdout.readline()) for _ in range(n)]

    def end(self):
        self.program.terminate()
        equal(self.program.wait(timeout=60), 0)
        self.program.stdout.close()


def events_that_are_posted_meet_rules():
    r = _Running()
    equal(r.post(json.dumps(EVENTS).encode()), 200)
    first, second = r.alerts(2)
    equal((first['rule'], first['source'], first['time']), ('privileged', 'k8s_audit', '2024-05-01T10:00:00.000002000Z'))
    equal(first['output_fields']['ka.req.pod.containers.image[0]'], ['nginx'])
    equal(second['output_fields']['ka.uri.param[command]'], 'ls')
    r.end()


def what_is_no_audit_event_is_refused_and_the_next_one_is_taken():
    r = _Running('-o', 'saker.k8s_audit.max_body=4096')
    for body, more, status in ((b'{', {}, 400), (b'{"kind":"Pod"}', {}, 400), (b'[' * 4000, {}, 400),
                               (b'{}' + b' ' * 5000, {}, 413), (b'{}', {'content': 'text/plain'}, 415),
                               (b'{}', {'path': '/'}, 404), (None, {'method': 'GET'}, 404),
                               (b'{}', {'method': 'PUT'}, 405)):
        equal(r.post(body, **more), status, (body or b'')[:20])
    equal(r.post(json.dumps(POD).encode()), 200)
    equal([a['rule'] for a in r.alerts(1)], ['privileged'])
    r.end()


def a_file_of_lines_is_read_to_its_end():
    log = file('audit.log', '\n'.join(json.dumps(x) for x in (POD, EVENTS, [EXEC], {'kind': 'Pod'})) + '\nrubbish\n')
    out = done(saker('run', '--disable-source', 'syscall', '--json', '--plugin', 'k8saudit', '--plugin', 'json',
                     '--open-params', f'k8saudit={log}', '--rules', file('rules.yaml', RULES)))
    equal([json.loads(x)['rule'] for x in out.splitlines()], ['privileged', 'privileged', 'exec', 'exec'])


def a_configuration_for_the_plugin_serves_where_its_library_is_not():
    log = file('audit.log', json.dumps(POD) + '\n')
    config = file('falco.yaml', f'''
plugins:
  - name: k8saudit
    library_path: /nowhere/libk8saudit.so
    init_config: {{maxEventSize: 262144, webhookMaxBatchSize: 12582912, useAsync: false}}
    open_params: {log}
  - name: json
    library_path: /nowhere/libjson.so
    init_config: ""
load_plugins: [k8saudit, json]
''')
    out = done(saker('run', '--disable-source', 'syscall', '--json', '-c', config, '--rules', file('rules.yaml', RULES)))
    equal([json.loads(x)['rule'] for x in out.splitlines()], ['privileged'])


def events_are_recorded_and_replayed_with_their_fields():
    log, capture = file('audit.log', json.dumps(EVENTS) + '\n'), file('audit.scap', '')
    with_plugins = ('--plugin', 'k8saudit', '--plugin', 'json')
    done(saker('record', capture, '--disable-source', 'syscall', *with_plugins, '--open-params', f'k8saudit={log}'))
    out = done(saker('replay', capture, *with_plugins, '--json', '--rules', file('rules.yaml', RULES)))
    equal([json.loads(x)['rule'] for x in out.splitlines()], ['privileged', 'exec'])


def what_cannot_be_opened_says_why():
    for where, say in (('ftp://x/', 'neither http nor https'), ('http://:99999/', 'no port'), ('/nowhere/at/all', 'No such file'),
                       ('http://nohost:1/x', 'no IP address'), ('https://127.0.0.1:0/x', '/etc/falco/falco.pem')):
        fails(saker('run', '--disable-source', 'syscall', '--plugin', 'json', '--plugin', 'k8saudit', '--open-params',
                    f'k8saudit={where}', '--rules', file('rules.yaml', RULES)), 1, "plugin 'k8saudit'", say)
    fails(saker('list', 'fields', '--plugin', 'k8saudit:{"customFieldsHeaders":[]}'), 1, "'customFieldsHeaders' is not known")


def its_fields_are_listed():
    out = done(saker('list', 'fields', '--plugin', 'k8saudit', '--plugin', 'json'))
    for name in (b'ka.req.binding.subjects.group_names', b'ka.uri.param', b'jevt.value'):
        check(name in out, name)


run(globals())
