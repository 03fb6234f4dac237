# SPDX-License-Identifier: Apache-2.0
"""Plugins while this machine is watched and recorded: they follow its system calls, and send events between them."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from recorder import mark, until_it_records  # noqa: E402
from tap import PATIENCE, SAKER, SOURCE, TMP, check, done, equal, fails, file, run, saker  # noqa: E402

FOLDER = os.environ.get('SAKER_PLUGINS', f'{SOURCE}/build')
CENSUS, LINES = (f'{FOLDER}/examples/plugins/lib{x}.so' for x in ('census', 'lines'))
FRAGILE = f'{FOLDER}/tests/plugins/libfragile.so'
GREEDY = f'{FOLDER}/tests/plugins/libgreedy.so'
RULES = '''
- rule: Started
  desc: programs of a name that nobody else has
  condition: evt.type = execve and proc.name startswith saker-lp-
  output: started %proc.name %census.runs %census.fds
  priority: INFO
- rule: Beat
  desc: what the plugin sends
  condition: evt.type = census.beat
  output: beat %evt.num %evt.rawtime
  priority: INFO
- rule: Line
  desc: what the other plugin reads
  condition: lines.number > 0
  output: line %lines.text
  priority: INFO
  source: lines
'''


def _program(name):
    path = os.path.join(tempfile.mkdtemp(dir=TMP), name)
    os.symlink('/bin/true', path)
    return path


def _until(done_, what, seconds=60):
    end = time.monotonic() + seconds * PATIENCE
    while not done_():
        check(time.monotonic() < end, 'waited in vain:', what)
        time.sleep(0.05)


def _alerts(path):
    with open(path) as f:
        return [json.loads(x) for x in f if x.endswith('\n')]


def plugins_follow_system_calls_and_send_events_between_them():
    log, out = file('log.txt', 'one\n'), file('out')
    program, ready = _program('saker-lp-run'), _program('saker-lp-ready')
    with open(out, 'wb') as stdout, subprocess.Popen(
            [SAKER, 'run', '--json', '-a', '-q', '-r', file('rules.yaml', RULES), '--plugin', CENSUS + ':{"every_ms":50}',
             '--plugin', LINES + ':{"follow":true}', '--open-params', f'lines={log}'], stdout=stdout,
            stderr=subprocess.PIPE) as p:
        def started(name):
            return [a['output_fields'] for a in _alerts(out) if a['output_fields'].get('proc.name') == name]

        def is_ready():
            subprocess.run([ready], check=True)
            check(p.poll() is None, p.stderr.read() if p.poll() is not None else '')
            return started('saker-lp-ready')

        _until(is_ready, 'ready')
        for _ in range(5):
            subprocess.run([program], check=True)
        _until(lambda: len(started('saker-lp-run')) == 5, started('saker-lp-run'))
        _until(lambda: sum(a['rule'] == 'Beat' for a in _alerts(out)) > 5, 'beats')
        p.terminate()
        said = p.stderr.read()
        equal(p.wait(timeout=60), 0, said)
    alerts = _alerts(out)
    equal([x['census.runs'] for x in started('saker-lp-run')], [1, 2, 3, 4, 5])
    check(all(x['census.fds'] > 2 for x in started('saker-lp-run')), alerts)
    equal([a['output_fields']['lines.text'] for a in alerts if a['rule'] == 'Line'], ['one'])
    times = [int(a['output_fields']['evt.rawtime']) for a in alerts if a['rule'] == 'Beat']
    equal(times, sorted(times))


def what_plugins_send_is_recorded_and_read_again():
    path = os.path.join(TMP, 'recorded.scap')
    p = subprocess.Popen([SAKER, 'record', path, '--plugin', CENSUS + ':{"every_ms":50}', '--disable-source', 'lines',
                          '--plugin', LINES], stderr=subprocess.PIPE)
    until_it_records(p, path)
    mark('between')
    _until(lambda: saker('print', path, '--plugin', CENSUS, '--filter', 'evt.asynctype = census.beat', '--format',
                         '%evt.asynctype').stdout.count(b'\n') > 2, 'beats in the file')
    p.terminate()
    equal(p.wait(timeout=60), 0, p.stderr.read())
    out = done(saker('print', path, '--plugin', CENSUS, '--filter',
                     'evt.type = execve and proc.args = saker-record-mark-between', '--format', '%proc.name %census.runs'))
    name, runs = out.split()
    check(name == b'true' and int(runs) > 0, out)


def a_plugin_that_does_not_know_the_kernels_events_is_refused():
    r = saker('run', '--duration', '1', '--plugin', GREEDY, env={'WRONG': 'schema old'})
    fails(r, 1, "plugin 'greedy' required event schema version '3.9.9' not compatible")


def a_plugin_in_a_process_of_its_own_may_crash_loop_and_eat_memory_and_no_system_call_is_missed():
    rules = '''
- rule: Run
  desc: what the plugin is asked about, too
  condition: evt.type = execve and evt.rawres = 0 and proc.name startswith saker-fp-
  output: run %proc.name %proc.args %fragile.text
  priority: INFO
- rule: Good
  desc: what it gives while it can
  condition: fragile.text = good
  output: good
  priority: INFO
  source: fragile
'''
    out, err, count, n = file('fragile.out'), file('fragile.err'), file('fragile.count'), 200
    program = _program('saker-fp-run')
    with open(out, 'wb') as stdout, open(err, 'wb') as stderr, subprocess.Popen(
            [SAKER, 'run', '--json', '-a', '-r', file('rules.yaml', rules), '-o', 'saker.plugins.isolated=[fragile]',
             '--plugin', f'{FRAGILE}:{count}', '--stats', '60'], stdout=stdout, stderr=stderr) as p:
        def runs(word):
            return [a['output_fields']['proc.args'] for a in _alerts(out)
                    if a['rule'] == 'Run' and a['output_fields']['proc.args'].startswith(word)]

        def is_ready():
            subprocess.run([program, 'ready'], check=True)
            check(p.poll() is None, 'it has ended')
            return runs('ready')

        def failures():
            with open(err) as f:
                text = f.read()
            return [sum(word in x for x in text.splitlines()) for word in ('ended while', 'did not answer in time')]

        _until(is_ready, 'ready')
        for i in range(n):
            subprocess.run([program, f'n{i}.'], check=True)
        # Each way to fail, each begun a second time: crashed twice, hung twice, and so on.
        i = n
        while os.stat(count).st_size < 6 or 0 in failures():
            check(i < n + 3000 * PATIENCE, 'it does not fail', failures())
            subprocess.run([program, f'n{i}.'], check=True)
            time.sleep(0.02)
            i += 1
        _until(lambda: len(runs('n')) >= i, 'all runs')
        equal(runs('n'), [f'n{k}.' for k in range(i)])
        check(any(a['rule'] == 'Good' for a in _alerts(out)), 'it was never good')
        p.terminate()
        equal(p.wait(timeout=60), 0)
    with open(err) as f:
        text = f.read()
    check("plugin 'fragile': its process" in text, text)
    check('plugins.fragile.process_restarts' in text, text)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
else:
    run(globals())
