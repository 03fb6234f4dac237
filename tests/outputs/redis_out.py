# SPDX-License-Identifier: Apache-2.0
"""Alerts to a stream of a real redis-server, and to servers that are none."""
import json
import os
import shutil
import subprocess
import time

from passing import Sender, does_not_open, is_later, is_sent, tap
from receiver import Raw, free_port, wait_for_port
from tap import TMP, check, equal, run

SECRET = 's3cr3t'


class _Server:
    """It may be stopped and started, and then has what it had."""

    def __init__(self, *options):
        self.program = shutil.which('redis-server')
        if not self.program:
            tap.skip('redis-server is not installed')
        self.port = free_port()
        self.address = f'127.0.0.1:{self.port}'
        self.folder = os.path.join(TMP, f'redis-{self.port}')
        self.socket = f'{self.folder}/socket'
        self.options = options
        os.mkdir(self.folder)
        self.start()

    def start(self):
        self.p = subprocess.Popen([self.program, '--port', str(self.port), '--bind', '127.0.0.1', '--dir', self.folder, '--appendonly',
                                   'yes', '--unixsocket', self.socket, *self.options], stdout=subprocess.DEVNULL)
        wait_for_port(self.port)
        while self.ask('PING') not in ('PONG', None):
            time.sleep(0.05)

    def stop(self):
        self.p.terminate()
        self.p.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def ask(self, *command):
        """The answer as its own client prints it; None when that needs a password."""
        r = subprocess.run(['redis-cli', '--json', '-p', str(self.port), *command], capture_output=True, text=True)
        equal(r.returncode, 0, r.stderr)
        return None if 'NOAUTH' in r.stdout else json.loads(r.stdout)

    def entries(self, stream='saker:alerts'):
        return [dict(zip(fields[::2], fields[1::2])) for _, fields in self.ask('XRANGE', stream, '-', '+')]


def _config(address, **keys):
    return {'saker': {'redis_output': {'enabled': True, 'address': address, 'timeout_ms': 5000, **keys}}}


def alerts_are_entries_of_a_stream():
    with _Server() as server, Sender('redis', _config(server.address)) as s:
        is_sent(s.send(200), 200)
        is_sent(s.send(1, 'text'))
        got = server.entries()
        equal([int(x['seq']) for x in got], list(range(1, 202)))
        equal(json.loads(got[199]['alert'])['output'], 'alert é 200 ')
        equal((got[0]['host'], got[0]['type'], got[6]['host']), ('node-1', 'application/json', 'nöde/2'))
        equal(got[200]['alert'], 'alert é "201" \x01 ')


def entries_may_be_cloudevents_of_a_stream_that_is_kept_short():
    with _Server() as server, Sender('redis', _config(server.socket, format='cloudevents', stream='other', max_length=10)) as s:
        for _ in range(10):
            is_sent(s.send(100), 100)
        got = server.entries('other')
        check(10 <= len(got) < 300, len(got))
        equal(json.loads(got[-1]['alert'])['specversion'], '1.0')


def a_server_that_was_away_gets_what_is_missing():
    with _Server() as server, Sender('redis', _config(server.address)) as s:
        is_sent(s.send(2), 2)
        server.stop()
        is_later(s.send(2), server.address)
        is_later(s.send(2), server.address)
        server.start()
        is_sent(s.send(2), 2)
        s.reopen()
        is_sent(s.send(1), 1)
        equal([int(x['seq']) for x in server.entries()], [1, 2, 3, 4, 5])


def a_password_is_given_and_not_told():
    with _Server('--requirepass', SECRET) as server:
        with Sender('redis', _config(server.address, password=SECRET)) as s:
            is_sent(s.send())
        with Sender('redis', _config(server.address, user='default', password=SECRET)) as s:
            is_sent(s.send())
        with Sender('redis', _config(server.address)) as s:
            is_later(s.send(), 'error NOAUTH')
        with Sender('redis', _config(server.address, password=SECRET + '2')) as s:
            got = s.send()
            is_later(got, 'error WRONGPASS')
            check(SECRET not in got['error'])


def a_server_without_room_or_with_another_thing_of_that_name_is_told_of():
    with _Server('--maxmemory', '1', '--maxmemory-policy', 'noeviction') as server:
        with Sender('redis', _config(server.address)) as s:
            is_later(s.send(5), 'error OOM')
            server.ask('CONFIG', 'SET', 'maxmemory', '0')
            is_sent(s.send(5), 5)
        server.ask('SET', 'taken', 'x')
        with Sender('redis', _config(server.address, stream='taken')) as s:
            is_later(s.send(5), 'error WRONGTYPE')


class _Speaker(Raw):
    """It answers whatever comes with these bytes; None: with nothing."""

    def __init__(self, reply, endless=False):
        super().__init__(reply, endless)
        self.address = self.url.removeprefix('http://').rstrip('/')

    def _talk(self, c):
        try:
            c.recv(65536)
            if self.reply is None:
                c.recv(1)
                return
            c.sendall(self.reply)
            while self.endless:
                c.sendall(b'x' * 65536)
            c.close()
        except OSError:
            pass


def servers_that_hang_close_or_lie_do_no_harm():
    for reply, endless in ((b'+PONG\r\n:1\r\n', False), (b'+PONG\r\n$999999\r\n', True), (None, False), (b'', False), (b'$100\r\nhalf', False), (b'$999999999\r\n', True), (b'*1\r\n' * 100, False),
                           (b'*4294967297\r\n', False), (b'-\x1b[31m' + SECRET.encode() + b'\r\n', False), (b':1\r\n', False),
                           (b'\0' * 70000, False), (b'HTTP/1.1 400 Bad\r\n\r\n', False), (b'$-1\r\n', False), (b'+OK\r\n', True)):
        with _Speaker(reply, endless) as r, Sender('redis', _config(r.address, timeout_ms=700)) as s:
            begin = time.monotonic()
            got = s.send()
            is_later(got, r.address)
            check(time.monotonic() - begin < 30 and '\x1b' not in got['error'] and SECRET not in got['error'], got)


def what_was_confirmed_before_it_closed_is_done():
    with _Speaker(b'+PONG\r\n$3\r\n1-1\r\n$3\r\n1-2\r\n$3\r\n1') as r, Sender('redis', _config(r.address)) as s:
        got = s.send(5)
        equal((got['outcome'], got['n_done']), ('SENT_LATER', 2))


def nobody_there_is_no_error_when_it_starts():
    with Sender('redis', _config(f'127.0.0.1:{free_port()}')) as s:
        equal(s.opened['outcome'], 'OPEN')
        is_later(s.send(), 'refused')
    with Sender('redis', _config(f'{TMP}/no-socket')) as s:
        is_later(s.send(), 'No such file')


def what_can_not_work_is_told_with_its_key():
    for address in ('', 'h', 'h:', ':1', 'h:0', 'h:70000', 'h:x'):
        does_not_open('redis', _config(address), 'saker.redis_output.address: ')
    does_not_open('redis', _config('h:1', stream=''), 'saker.redis_output.stream: ')
    does_not_open('redis', _config('h:1', user='u'), 'saker.redis_output.password: ')


if __name__ == '__main__':
    run(globals())
