# SPDX-License-Identifier: Apache-2.0
"""From a capture to receivers over a network that are away and come back: nothing is lost, nothing is made up."""
import json
import os
import shutil
import threading

from certificates import make
from kafka_out import _Cluster
from receiver import Nginx, Receiver, free_port
from redis_out import _Server
from tap import TMP, capture, check, done, equal, file, run, saker

CERTS = make(os.path.join(TMP, 'certificates'))
FILES = capture('files.scap.gz')
RULES = file('rules.yaml', '''
- rule: Opened
  desc: all of it
  condition: evt.type in (open, openat)
  output: opened %evt.num %fd.name
  priority: NOTICE
''')


def _replay(*options):
    args = ['stdout_output.enabled=false', 'json_output=true', 'saker.outputs.retry_max_ms=200', *options]
    return saker('replay', FILES, '-r', RULES, *(x for o in args for x in ('-o', o)))


def _lines():
    return sorted(done(saker('replay', FILES, '-r', RULES, '-o', 'json_output=true')).decode().splitlines())


def _http(url, *more):
    return ('http_output.enabled=true', f'http_output.url={url}', f'http_output.ca_cert={CERTS}/ca.crt', 'http_output.mtls=true',
            f'http_output.client_cert={CERTS}/client.crt', f'http_output.client_key={CERTS}/client.key', *more)


def _bodies(receiver):
    return sorted(line for r in receiver.requests for line in r.body.decode().splitlines())


WANT = _lines()


def a_server_with_mtls_gets_every_alert():
    with Receiver() as r, Nginx(CERTS, r.url.rsplit('/', 1)[0]) as front:
        done(_replay(*_http(front.url, 'http_output.compress_uploads=true')))
        equal(len(r.requests), len(WANT))
        equal(_bodies(r), WANT)


def one_that_comes_back_during_the_replay_gets_every_alert():
    port = free_port()
    late = []
    starter = threading.Timer(1, lambda: late.append(Receiver(f'{CERTS}/server', f'{CERTS}/ca.crt', port)))
    starter.start()
    run_ = _replay(*_http(f'https://127.0.0.1:{port}/', 'saker.outputs.drain_ms=60000'))
    starter.join()
    with late[0] as r:
        done(run_)
        check(b'http_output: alerts wait' in run_.stderr and b'http_output: it works again' in run_.stderr, run_.stderr)
        equal(_bodies(r), WANT)


def what_a_server_that_is_away_did_not_get_is_in_the_spool_until_it_is_back():
    spool = os.path.join(TMP, 'spool')
    port = free_port()
    keys = (f'saker.outputs.spool.path={spool}', 'saker.outputs.drain_ms=2000', 'saker.http_output.batch=50',
            'saker.http_output.format=cloudevents')
    _replay(*_http(f'https://127.0.0.1:{port}/', *keys))
    with Receiver(f'{CERTS}/server', f'{CERTS}/ca.crt', port) as r:
        done(_replay(*_http(r.url, *keys, 'saker.outputs.drain_ms=60000')))
        events = [e for x in r.requests for e in (lambda b: b if isinstance(b, list) else [b])(json.loads(x.body))]
        equal(sorted(json.dumps(e['data'], sort_keys=True) for e in events),
              sorted(2 * [json.dumps(json.loads(x), sort_keys=True) for x in WANT]))
        equal([int(e['sequence']) for e in events], list(range(1, 2 * len(WANT) + 1)))
    shutil.rmtree(spool)


def kafka_and_redis_get_every_alert():
    with _Cluster() as c, _Server() as server:
        done(_replay('saker.kafka_output.enabled=true', f'saker.kafka_output.brokers={c.brokers}', 'saker.kafka_output.topic=alerts',
                     'saker.redis_output.enabled=true', f'saker.redis_output.address={server.address}', 'saker.outputs.drain_ms=60000'))
        equal(sorted(m['value'] for m in c.take(len(WANT))), WANT)
        equal(sorted(e['alert'] for e in server.entries()), WANT)


if __name__ == '__main__':
    run(globals())
