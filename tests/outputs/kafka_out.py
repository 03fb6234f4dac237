# SPDX-License-Identifier: Apache-2.0
"""Alerts to Kafka: librdkafka's own mock cluster of three brokers, as Debian has no Kafka."""
import json
import os
import subprocess
import time

from passing import Sender, does_not_open, is_later, is_refused, is_sent, tap
from receiver import free_port
from tap import SOURCE, check, equal, run

BROKERS = os.environ.get('MOCKBROKERS', f'{SOURCE}/build/tests/outputs/mockbrokers')
SECRET = 's3cr3t'
NOT_ENOUGH_REPLICAS, MSG_SIZE_TOO_LARGE, TOPIC_AUTHORIZATION_FAILED = 19, 10, 29


class _Cluster:
    def __init__(self):
        self.p = subprocess.Popen([BROKERS, 'alerts'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                  stderr=subprocess.DEVNULL)
        self.brokers = self.p.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.stdin.close()
        self.p.stdout.close()
        self.p.wait(60 * tap.PATIENCE)

    def _lines(self):
        return list(iter(lambda: self.p.stdout.readline().strip(), ''))

    def do(self, *calls):
        for call in calls:
            self.p.stdin.write(call + '\n')
        self.p.stdin.write('reply\n')
        equal(self._lines(), [])

    def take(self, n):
        self.p.stdin.write(f'take {n}\n')
        got = [json.loads(x) for x in self._lines()]
        equal(len(got), n)
        return got


def _config(brokers, **keys):
    own = {'enabled': True, 'brokers': brokers, 'topic': 'alerts', 'timeout_ms': 10000, **keys}
    return {'saker': {'kafka_output': own}}


def _numbers(messages):
    return sorted(int(json.loads(m['value'])['output'].split()[2]) for m in messages)


def alerts_are_messages_with_their_host_as_key():
    with _Cluster() as c, Sender('kafka', _config(c.brokers)) as s:
        is_sent(s.send(20), 20)
        got = c.take(20)
        equal(_numbers(got), list(range(1, 21)))
        equal({(m['key'], m['type']) for m in got}, {('node-1', 'application/json'), ('nöde/2', 'application/json')})
        for key in ('node-1', 'nöde/2'):
            equal(len({m['partition'] for m in got if m['key'] == key}), 1, 'partitions of a host')
        is_sent(s.send(1, 'text'))
        equal((c.take(1)[0]['value']), 'alert é "21" \x01 ')


def messages_may_be_cloudevents():
    with _Cluster() as c, Sender('kafka', _config(c.brokers, format='cloudevents')) as s:
        is_sent(s.send(2), 2)
        for m in c.take(2):
            equal(json.loads(m['value'])['specversion'], '1.0')
            check(m['type'].startswith('application/cloudevents+json'), m)


def an_alert_is_sent_when_all_replicas_have_it_and_not_before():
    with _Cluster() as c, Sender('kafka', _config(c.brokers, timeout_ms=1500)) as s:
        is_sent(s.send())
        c.do('down 1', 'down 2', 'down 3')
        begin = time.monotonic()
        is_later(s.send(3))
        check(time.monotonic() - begin < 60)
        is_later(s.send(3))
        c.do('up 1', 'up 2', 'up 3')
        for _ in range(30):
            got = s.send(3)
            if got['outcome'] == 'SENT':
                break
        is_sent(got, 3)
        check(set(_numbers(c.take(4))) >= {1}, 'the first')


def what_brokers_cannot_take_now_they_get_again():
    with _Cluster() as c, Sender('kafka', _config(c.brokers)) as s:
        c.do(f'fail 2 {NOT_ENOUGH_REPLICAS}')
        is_sent(s.send(5), 5)
        c.do(f'fail 8 {TOPIC_AUTHORIZATION_FAILED}')
        got = s.send(1)
        is_later(got, 'uthoriz')


def what_is_too_large_is_refused_and_what_is_around_it_is_not():
    with _Cluster() as c, Sender('kafka', _config(c.brokers, options=['message.max.bytes=2000'])) as s:
        is_refused(s.send(1, 'json', 5000), 0, 'too large')
        is_sent(s.send(2), 2)
        equal(_numbers(c.take(2)), [2, 3])


def nobody_there_is_no_error_when_it_starts():
    with Sender('kafka', _config(f'127.0.0.1:{free_port()}', timeout_ms=500)) as s:
        equal(s.opened['outcome'], 'OPEN')
        got = s.send(3)
        is_later(got)
        check('\n' not in got['error'])


def what_can_not_work_is_told_with_its_key_and_without_secrets():
    does_not_open('kafka', _config(''), 'saker.kafka_output.brokers: ')
    does_not_open('kafka', _config('h:1', topic=''), 'saker.kafka_output.topic: ')
    for bad in (f'no.such.option={SECRET}', f'acks={SECRET}', SECRET, f'={SECRET}'):
        with Sender('kafka', _config('h:1', options=[bad])) as s:
            check('saker.kafka_output.options: ' in s.opened['error'] and SECRET not in s.opened['error'], s.opened)


if __name__ == '__main__':
    run(globals())
