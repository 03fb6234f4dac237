# SPDX-License-Identifier: Apache-2.0
"""Metrics, as those take them who are there to: Prometheus, promtool, who reads alerts and who reads a file."""
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, TMP, check, done, equal, file, run, saker, skip  # noqa: E402
from server import METRICS, RULES, Run, config, free_port  # noqa: E402

# Names that the reference fixed, and what the linter has against them.
FIXED = {
    'falcosecurity_scap_engine_name_info': '',
    'falcosecurity_falco_host_num_cpus_total': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_falco_host_procs_running_total': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_falco_host_open_fds_total': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_scap_n_threads_total': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_scap_n_fds_total': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_falco_start_timestamp_nanoseconds': 'use base unit "seconds" instead of "nanoseconds"',
    'falcosecurity_falco_reload_timestamp_nanoseconds': 'use base unit "seconds" instead of "nanoseconds"',
    'falcosecurity_falco_host_boot_timestamp_nanoseconds': 'use base unit "seconds" instead of "nanoseconds"',
}
FIXED_ENDS = {
    '_run_time_nanoseconds_total': 'use base unit "seconds" instead of "nanoseconds"',
    '_avg_time_nanoseconds': 'use base unit "seconds" instead of "nanoseconds"',
}
FIXED_STARTS = {
    'falcosecurity_scap_n_evts_task': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_scap_n_drops_task': 'non-counter metrics should not have "_total" suffix',
    'falcosecurity_scap_n_drops_max_event_size': 'non-counter metrics should not have "_total" suffix',
}


def _needs(*programs):
    if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
        skip('this takes root and a kernel with BTF')
    for p in programs:
        if not shutil.which(p):
            skip(f'there is no {p}')


def _mark():
    subprocess.run(['sh', '-c', 'true', 'saker-web-mark'], check=True)


def _expected(finding):
    name, _, text = finding.partition(' ')
    return (FIXED.get(name) == text or any(name.endswith(e) and t == text for e, t in FIXED_ENDS.items()) or
            any(name.startswith(s) and t == text for s, t in FIXED_STARTS.items()))


PER_CPU = ('  kernel_event_counters_per_cpu_enabled: true',)


def promtool_has_nothing_against_names_of_our_own():
    _needs('promtool', 'curl')
    port = free_port()
    with Run(config('lint.yaml', port, *METRICS, *PER_CPU), port) as r:
        _mark()
        page = r.metrics('rules_matches_total').split('\n\n', 1)[1]
    p = subprocess.run(['promtool', 'check', 'metrics'], input=page, capture_output=True, text=True)
    check(p.returncode in (0, 3), p.stderr)
    findings = [x for x in p.stderr.splitlines() if x.strip()]
    equal([x for x in findings if not _expected(x)], [])


def every_metric_of_the_table_is_there():
    _needs('curl')
    port = free_port()
    out = ('file_output:', '  enabled: true', f'  filename: {TMP}/alerts')
    with Run(config('all.yaml', port, *METRICS, *PER_CPU, *out), port) as r:
        _mark()
        page = r.metrics('rules_matches_total').split('\n\n', 1)[1]
    there = {x.split()[2] for x in page.splitlines() if x.startswith('# TYPE ')}
    rows = json.loads(done(saker('list', 'metrics', '--json')))['metrics']
    wanted = {x['name'] for x in rows if x['name'] and '*' not in x['name']}
    equal(wanted - there, set())
    labels = {x['name']: x['labels'] for x in rows}
    for line in page.splitlines():
        if line.startswith('#') or '{' not in line:
            continue
        name, rest = line.split('{', 1)
        for label in labels.get(name, '').split(', '):
            check(not label or label.rstrip('*') in rest, name, label, line)
    sha = hashlib.sha256(open(RULES, 'rb').read()).hexdigest()
    check(f'sha256_rules_files_info{{file_name="web.yaml",sha256="{sha}"}} 1' in page)
    check('falcosecurity_scap_n_evts_cpu_total{cpu="0"} ' in page)
    evaluations = [x for x in page.splitlines() if x.startswith('saker_rule_evaluations_total{rule_name="Marked')]
    check(len(evaluations) == 1 and int(evaluations[0].split()[-1]) > 0, evaluations)


class _Prometheus:
    """A real one, that scrapes this port."""

    def __init__(self, port):
        self.port = free_port()
        self.config = file('prometheus.yml', f'''
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: saker
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
''')

    def __enter__(self):
        log = open(file('prometheus-log'), 'wb')
        self.p = subprocess.Popen(['prometheus', f'--config.file={self.config}', f'--storage.tsdb.path={TMP}/prometheus',
                                   f'--web.listen-address=127.0.0.1:{self.port}', '--log.level=warn'],
                                  stdout=log, stderr=log)
        return self

    def __exit__(self, *exc):
        self.p.terminate()
        self.p.wait(60 * PATIENCE)

    def until(self, query, good, seconds=60):
        """The value that the query has once it is good."""
        url = f'http://127.0.0.1:{self.port}/api/v1/query?' + urllib.parse.urlencode({'query': query})
        end = time.time() + seconds * PATIENCE
        while True:
            p = subprocess.run(['curl', '-s', '--max-time', '10', url], capture_output=True, text=True)
            result = json.loads(p.stdout)['data']['result'] if p.stdout else []
            if result and good(float(result[0]['value'][1])):
                return result
            check(time.time() < end and self.p.poll() is None, query, p.stdout, open(f'{TMP}/prometheus-log').read())
            time.sleep(0.3)


def a_prometheus_scrapes_it():
    _needs('prometheus', 'curl')
    port = free_port()
    with Run(config('scraped.yaml', port, *METRICS), port), _Prometheus(port) as p:
        p.until('up{job="saker"}', lambda v: v == 1)
        _mark()
        found = p.until('falcosecurity_falco_rules_matches_total', lambda v: v >= 1)[0]['metric']
        equal((found['rule_name'], found['tag_odd_tag']), ('Marked "program"', 'true'))
        p.until('saker_lane_events_total{lane="processes"}', lambda v: v > 0)
        p.until('saker_rule_samples_total', lambda v: v >= 0)


SNAPSHOTS = ('metrics:', '  enabled: true', '  interval: 300ms', '  output_rule: true')
RULE = 'Falco internal: metrics snapshot'


@contextlib.contextmanager
def _work():
    """Programs that begin on every CPU, as a machine may do nothing by itself."""
    over = threading.Event()

    def start():
        while not over.wait(0.03):
            for cpu in os.sched_getaffinity(0):
                subprocess.run(['taskset', '-c', str(cpu), 'true'], check=True)

    t = threading.Thread(target=start)
    t.start()
    try:
        yield
    finally:
        over.set()
        t.join()


def _snapshots(name, *lines):
    """Alerts of a short run, and lines of the file."""
    out = f'{TMP}/{name}.jsonl'
    path = file(f'{name}.yaml', '\n'.join(('json_output: true', *SNAPSHOTS, f'  output_file: {out}', *lines)) + '\n')
    with _work():
        p = saker('run', '-c', path, '-r', RULES, '-d', '3')
    alerts = [json.loads(x) for x in done(p).decode().splitlines()]
    with open(out) as f:
        return [x for x in alerts if x['rule'] == RULE], [json.loads(x) for x in f]


def snapshots_are_alerts_and_lines_of_a_file():
    _needs()
    alerts, lines = _snapshots('snapshots')
    check(len(alerts) >= 2, alerts)
    equal(len(alerts), len(lines))
    equal([x['sample'] for x in lines], list(range(1, len(lines) + 1)))
    equal([x['output_fields'] for x in lines], [x['output_fields'] for x in alerts])
    last = alerts[-1]
    equal((last['priority'], last['source'], last['output']), ('Informational', 'internal', 'Falco metrics snapshot'))
    fields = last['output_fields']
    equal(list(fields), sorted(fields))
    check({'evt.hostname', 'evt.source', 'evt.time', 'falco.duration_sec', 'falco.host_boot_ts', 'falco.host_num_cpus',
           'falco.kernel_release', 'falco.num_evts', 'falco.num_evts_prev', 'falco.outputs_queue_num_drops',
           'falco.reload_ts', 'falco.rules.matches_total', 'falco.start_ts', 'falco.version', 'scap.engine_name',
           'scap.n_evts', 'scap.n_evts_prev', 'falco.n_threads', 'falco.memory_rss_mb', 'falco.evts_rate_sec',
           'falco.sha256_rules_file.web', 'falco.sha256_config_file.snapshots'} <= set(fields), fields)
    equal(fields['scap.engine_name'], 'modern_bpf')
    equal(fields['falco.num_evts_prev'], alerts[-2]['output_fields']['falco.num_evts'])
    check(fields['scap.n_evts'] >= fields['scap.n_evts_prev'] > 0, fields)
    check(1 < fields['falco.memory_rss_mb'] < 2000, fields)
    check('scap.n_drops_scratch_map' not in fields, 'zeros')


def snapshots_have_what_the_configuration_wants():
    _needs()
    alerts, _ = _snapshots('more', '  convert_memory_to_mb: false', '  include_empty_values: true',
                           '  state_counters_enabled: false', '  kernel_event_counters_per_cpu_enabled: true')
    fields = alerts[-1]['output_fields']
    check({'scap.n_drops_scratch_map', 'falco.rules.Marked_program'} <= set(fields), fields)
    check(fields['falco.memory_rss_kb'] > 1000 and 'falco.memory_rss_mb' not in fields, fields)
    check('falco.n_threads' not in fields, fields)
    check(fields['scap.n_evts_cpu_0'] > 0, fields)


def a_snapshot_as_text_is_one_line():
    _needs()
    path = file('text.yaml', '\n'.join(SNAPSHOTS) + '\n')
    lines = done(saker('run', '-c', path, '-r', RULES, '-d', '2')).decode().splitlines()
    lines = [x for x in lines if 'metrics snapshot' in x]
    check(lines and ': Informational Falco metrics snapshot (evt.hostname="' in lines[0], lines)
    check(' falco.num_evts=' in lines[0] and lines[0].endswith(')'), lines[0])


def a_file_that_cannot_be_opened_ends_the_run():
    _needs()
    path = file('nofile.yaml', 'metrics:\n  enabled: true\n  output_file: /nonexistent/metrics\n')
    p = saker('run', '-c', path, '-r', RULES, '-d', '1')
    equal(p.returncode, 1)
    check(b'metrics.output_file: /nonexistent/metrics: No such file' in p.stderr, p.stderr)


run(globals())
