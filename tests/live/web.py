# SPDX-License-Identifier: Apache-2.0
"""The web server of saker run: health and metrics, over TLS, for this machine alone."""
import json
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import TMP, check, done, equal, fails, file, run, saker, skip  # noqa: E402
from server import METRICS, RULES, Run, config, free_port  # noqa: E402


def _listens_at(port):
    """IPv4 addresses, as the kernel writes them."""
    with open('/proc/net/tcp') as f:
        rows = [x.split() for x in f.readlines()[1:]]
    return [x[1].split(':')[0] for x in rows if x[3] == '0A' and int(x[1].split(':')[1], 16) == port]


def _needs_root():
    if os.geteuid():
        skip('this takes root')


def it_is_well_and_says_so_where_the_configuration_wants():
    _needs_root()
    port = free_port()
    with Run(config('health.yaml', port, '  k8s_healthz_endpoint: /live'), port, health='/live') as r:
        text = r.get('/live')
        check('\nContent-Type: application/json\n' in text, text)
        equal(json.loads(text.split('\n\n')[1]), {'status': 'ok'})
        check('404' in r.get('/healthz').split('\n')[0])
        versions = json.loads(r.get('/versions').split('\n\n')[1])
        equal(versions, json.loads(done(saker('falco', '--version', '-o', 'json_output=true'))))
        check({'falco_version', 'engine_version', 'plugin_api_version'} <= set(versions), versions)
        check('404' in r.get('/metrics').split('\n')[0], 'metrics that nobody asked for')
        check('405' in r.get('/live', '-X', 'POST', '-d', 'x').split('\n')[0])
        equal(_listens_at(port), ['0100007F'], 'not for this machine alone')
    equal(r.status, 0, open(r.err).read())


SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? ([0-9.e+-]+)')


def _parsed(body):
    """Of the exposition format: every sample behind its own HELP and TYPE, no name in two places."""
    samples, current, seen = {}, None, set()
    lines = body.rstrip('\n').split('\n')
    for i, line in enumerate(lines):
        if line.startswith('# HELP '):
            current = line.split()[2]
            check(current not in seen, 'twice', current)
            seen.add(current)
            check(re.fullmatch(rf'# TYPE {current} (counter|gauge)', lines[i + 1]), lines[i + 1])
        elif not line.startswith('# TYPE '):
            m = SAMPLE.fullmatch(line)
            check(m and m[1] == current, line)
            samples[m[1] + (m[2] or '')] = float(m[5])
    return samples


def metrics_are_as_prometheus_reads_them_and_count():
    _needs_root()
    port = free_port()
    with Run(config('metrics.yaml', port, *METRICS), port) as r:
        for _ in range(3):
            subprocess.run(['sh', '-c', 'true', 'saker-web-mark'], check=True)
        text = r.metrics('rules_matches_total')
        check('\nContent-Type: text/plain; version=0.0.4\n' in text, text[:400])
        found = _parsed(text.split('\n\n', 1)[1])
    rule = ('falcosecurity_falco_rules_matches_total{priority="4",rule_name="Marked \\"program\\"",source="syscall",'
            'tag_T1059="true",tag_mitre_execution="true",tag_odd_tag="true"}')
    check(found.get(rule, 0) >= 1, [x for x in found if 'rules' in x])
    for name in ('falcosecurity_scap_n_evts_total', 'falcosecurity_scap_n_threads_total', 'falcosecurity_falco_memory_rss_bytes',
                 'falcosecurity_falco_host_num_cpus_total', 'falcosecurity_falco_duration_seconds_total', 'saker_ring_bytes',
                 'saker_lane_events_total{lane="processes"}', 'saker_events_total{type="execve"}'):
        check(found.get(name, 0) > 0, name, sorted(found))
    equal(found['falcosecurity_falco_host_num_cpus_total'], float(os.cpu_count()))
    check(abs(found['falcosecurity_falco_start_timestamp_nanoseconds'] / 1e9 - time.time()) < 600)
    check(found['falcosecurity_falco_memory_rss_bytes'] < 1e9, found)
    equal(r.status, 0, open(r.err).read())


def over_tls_it_shows_its_certificate():
    _needs_root()
    port, pem = free_port(), f'{TMP}/web.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=saker', '-addext',
                    'subjectAltName=IP:127.0.0.1', '-days', '2', '-keyout', f'{TMP}/key', '-out', f'{TMP}/cert'],
                   check=True, capture_output=True)
    with open(pem, 'w') as f:
        for part in ('cert', 'key'):
            f.write(open(f'{TMP}/{part}').read())
    path = config('tls.yaml', port, '  ssl_enabled: true', f'  ssl_certificate: {pem}')
    with Run(path, port, curl=('--cacert', f'{TMP}/cert')) as r:
        check('{"status": "ok"}' in r.get('/healthz'))
        plain = subprocess.run(['curl', '-s', '--max-time', '20', f'http://127.0.0.1:{port}/healthz'], capture_output=True)
        check(plain.returncode, 'answered without TLS')
    equal(r.status, 0, open(r.err).read())


def a_server_that_cannot_be_opened_ends_the_run():
    _needs_root()
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        fails(saker('run', '-c', config('taken.yaml', port), '-r', RULES, '-d', '1'), 1, f'port {port}', 'in use')
    port = free_port()
    path = config('bad.yaml', port, '  ssl_enabled: true', '  ssl_certificate: /nonexistent.pem')
    fails(saker('run', '-c', path, '-r', RULES, '-d', '1'), 1, '/nonexistent.pem')
    path = config('name.yaml', port, '  listen_address: somewhere')
    fails(saker('run', '-c', path, '-r', RULES, '-d', '1'), 1, "wants an address, not 'somewhere'")


run(globals())
