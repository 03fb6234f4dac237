# SPDX-License-Identifier: Apache-2.0
"""What `saker run` does besides telling alerts: captures of what was around them, and what is said of losses."""
import atexit
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cli'))
from tap import PATIENCE, SAKER, TMP, check, done, equal, file, run, saker  # noqa: E402

RULES = '''
- rule: Marked
  desc: a program of ours
  condition: evt.type = execve and evt.rawres = 0 and proc.args contains saker-alerted-mark
  output: >
    %proc.name %proc.cmdline of %proc.pname %proc.pcmdline %proc.aname[2] in %proc.cwd %proc.exepath %user.name
    %proc.env[SAKER_SECRET] %container.id %proc.sname
  priority: WARNING
  capture: true
  capture_duration: 1000
'''
PLAIN = RULES.replace('contains saker-alerted-mark', 'contains saker-alerted-ready').replace('Marked', 'Ready').replace(
    'capture: true', 'capture: false')


class _Watch:
    def __init__(self, *options):
        self.out = file('out')
        args = [a for o in ('append_output=[]', *options) for a in ('-o', o)]
        self.p = subprocess.Popen([SAKER, 'run', '-j', '-r', file('rules.yaml', RULES + PLAIN), *args],
                                  stdout=open(self.out, 'wb'), stderr=subprocess.PIPE)
        atexit.register(self.p.kill)
        self.until(lambda: subprocess.run(['/bin/true', 'saker-alerted-ready']) and self.alerts('Ready'))

    def alerts(self, rule):
        with open(self.out) as f:
            return [a for a in map(json.loads, (x for x in f if x.endswith('\n'))) if a['rule'] == rule]

    def until(self, what, seconds=60):
        end = time.time() + seconds * PATIENCE
        while not what():
            check(time.time() < end and self.p.poll() is None, 'it does not come')
            time.sleep(0.05)

    def end(self, status=0):
        self.p.send_signal(signal.SIGINT)
        said = self.p.communicate(timeout=60 * PATIENCE)[1].decode()
        equal(self.p.returncode, status, said)
        return said


def a_capture_has_what_was_before_the_alert_and_replays_to_it():
    folder = f'{TMP}/captures'
    os.mkdir(folder)
    w = _Watch('capture.enabled=true', f'capture.path_prefix={folder}/on', 'saker.capture.window=8M',
               'saker.redaction.patterns=["--key[= ](\\\\S+)", "SAKER_SECRET=(\\\\S+)"]')
    before = file('saker-alerted-before', 'x')
    subprocess.run(['cat', before], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(['/bin/true', 'saker-alerted-mark', '--key', 'sesame', '-x'], check=True,
                   env={**os.environ, 'SAKER_SECRET': 'abracadabra'})
    w.until(lambda: w.alerts('Marked'))
    w.until(lambda: subprocess.run(['/bin/true', 'time', 'passes']) and len(os.listdir(folder)) == 1)
    time.sleep(1.5)
    said = w.end()
    check('1 captures with' in said and 'refused' not in said, said)
    path = f'{folder}/{os.listdir(folder)[0]}'
    alert, = w.alerts('Marked')
    check('true saker-alerted-mark --key ****** -x' in alert['output'] and 'sesame' not in alert['output'], alert)
    check('abracadabra' not in alert['output'] and '***********' in alert['output'], alert)
    again = [json.loads(x) for x in
             done(saker('replay', path, '-j', '-r', file('rules.yaml', RULES), '-o', 'append_output=[]')).splitlines()]
    again[0]['hostname'] = alert['hostname']
    equal(again, [alert])
    opened = done(saker('print', path, '-f', f'evt.type = openat and fd.name = {before} and proc.name = cat', '-p',
                        '%evt.rawtime %proc.name of %proc.pname')).decode().split(maxsplit=1)
    check(opened and int(opened[0]) < alert['output_fields']['evt.time'], opened)
    check(opened[1].startswith('cat of '), opened)
    times = [int(t) for t in done(saker('print', path, '-p', '%evt.rawtime')).split()]
    check(times[-1] <= alert['output_fields']['evt.time'] + 1_000_000_000)
    text = subprocess.run(['zcat', path], capture_output=True, check=True).stdout
    check(b'sesame' not in text and b'abracadabra' not in text, 'a secret is in the file')


def losses_are_told_as_an_alert_as_often_as_the_configuration_allows():
    w = _Watch('syscall_event_drops.simulate_drops=true', 'syscall_event_drops.actions=[log, alert]',
               'syscall_event_drops.rate=0.001')
    w.until(lambda: w.alerts('Falco internal: syscall event drop'))
    time.sleep(2.5)
    said = w.end()
    alert, = w.alerts('Falco internal: syscall event drop')
    equal((alert['priority'], alert['source'], 'tags' in alert), ('Debug', 'internal', False))
    check(alert['output'].endswith(' system calls dropped in last second.'), alert)
    fields = alert['output_fields']
    equal(list(fields), sorted(fields))
    check(int(fields['n_drops']) >= 1 and int(fields['n_evts']) >= int(fields['n_drops']), fields)
    check('n_drops_buffer_open_exit' in fields and 'system calls dropped' in said, said)


def a_loss_ends_it_where_that_is_configured():
    w = _Watch('syscall_event_drops.actions=[exit]')
    w.end()
    p = subprocess.run([SAKER, 'run', '-r', file('rules.yaml', RULES), '-d', '60', '-o',
                        'syscall_event_drops.simulate_drops=true', '-o', 'syscall_event_drops.actions=[exit]'],
                       capture_output=True, timeout=60 * PATIENCE)
    equal(p.returncode, 1, p.stderr)
    check(b'syscall_event_drops.actions says exit' in p.stderr, p.stderr)


if os.geteuid() or not os.path.exists('/sys/kernel/btf/vmlinux'):
    print('1..0 # SKIP needs root and a kernel with BTF')
    sys.exit(0)
run(globals())
