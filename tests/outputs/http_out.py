# SPDX-License-Identifier: Apache-2.0
"""Alerts by HTTP(S), to servers that are as they should be and to those that are not."""
import json
import os
import time

from certificates import make
from passing import Sender, does_not_open, is_later, is_refused, is_sent, tap
from receiver import Nginx, Raw, Receiver, free_port
from tap import TMP, check, equal, run

CERTS = make(os.path.join(TMP, 'certificates'))
SECRET = 's3cr3t'


def _config(url, own=None, **keys):
    return {'http_output': {'enabled': True, 'url': url, 'ca_cert': f'{CERTS}/ca.crt', **keys},
            'saker': {'http_output': {'timeout_ms': 5000, **(own or {})}}}


def _mtls(url, name='client', **more):
    return _config(url, mtls=True, client_cert=f'{CERTS}/{name}.crt', client_key=f'{CERTS}/{name}.key', **more)


def _answer(receiver, status, headers=None, text=b''):
    receiver.answers.append((status, headers or {}, text))


def an_alert_is_a_request_as_the_reference_makes_it():
    with Receiver() as r, Sender('http', _config(r.url)) as s:
        is_sent(s.send(3), 1)
        is_sent(s.send(1, 'text'))
        first, second = r.requests
        equal(json.loads(first.body)['output'], 'alert é 1 ')
        equal((first.path, first.headers['Content-Type'], first.headers['User-Agent']),
              ('/alerts', 'application/json', 'falcosecurity/falco'))
        equal(second.body, 'alert é "2" \x01 '.encode())
        equal(second.headers['Content-Type'], 'text/plain')
        check('Expect' not in first.headers and 'Content-Encoding' not in first.headers)


def the_connection_is_kept_until_it_is_to_be_opened_again():
    with Receiver() as r, Sender('http', _config(r.url, keep_alive=True)) as s:
        for _ in range(3):
            is_sent(s.send())
        s.reopen()
        is_sent(s.send())
        is_sent(s.send())
        equal([x.peer == r.requests[0].peer for x in r.requests], [True, True, True, False, False])
        equal(r.requests[3].peer, r.requests[4].peer)


def user_agent_and_more_headers_are_as_configured():
    own = {'headers': ['Authorization: Bearer ' + SECRET, 'X-Two: 2']}
    with Receiver() as r, Sender('http', _config(r.url, own, user_agent='someone/1')) as s:
        is_sent(s.send())
        got = r.requests[0].headers
        equal((got['User-Agent'], got['Authorization'], got['X-Two']), ('someone/1', 'Bearer ' + SECRET, '2'))


def bodies_are_compressed_when_that_makes_them_shorter():
    with Receiver() as r, Sender('http', _config(r.url, compress_uploads=True)) as s:
        is_sent(s.send(1, 'json', 60000))
        is_sent(s.send(1, 'text', 0))
        equal(r.requests[0].headers['Content-Encoding'], 'gzip')
        check(len(r.requests[0].raw) < 1000 and len(r.requests[0].body) > 60000)
        equal(json.loads(r.requests[0].body)['rule'], 'r')
        check('Content-Encoding' not in r.requests[1].headers)


def many_alerts_of_a_request_are_lines():
    with Receiver() as r, Sender('http', _config(r.url, {'batch': 10})) as s:
        is_sent(s.send(25), 10)
        is_sent(s.send(4), 4)
        equal([json.loads(x)['output'].split()[2] for x in r.requests[1].body.decode().splitlines()],
              ['11', '12', '13', '14'])
        equal(r.requests[0].headers['Content-Type'], 'application/x-ndjson')


def answers_are_printed_when_asked_for_without_what_terminals_obey():
    with Receiver() as r, Sender('http', _config(r.url, echo=True)) as s:
        _answer(r, 200, text=b'taken \x1b[31m\xff red' + b'y' * 100000)
        is_sent(s.send())
        is_sent(s.send())
        check(s.said[0].startswith('taken \ufffd[31m\ufffd redyyy'), s.said[0][:60])
        check(len(s.said[0]) < 5000)
        equal(s.said[1:], ['ok\n'])


def a_busy_receiver_is_asked_again_when_it_says_so():
    with Receiver() as r, Sender('http', _config(r.url)) as s:
        for status, headers, want in [(429, {'Retry-After': '7'}, 7000), (503, {'Retry-After': '2'}, 2000), (503, {}, 0),
                                      (429, {'Retry-After': 'soon'}, 0), (429, {'Retry-After': '-5'}, 0),
                                      (503, {'Retry-After': '99999999999999999999'}, None)]:
            _answer(r, status, headers)
            got = s.send()
            is_later(got, str(status))
            check(want is None and got['after_ms'] <= 3600000 or got['after_ms'] == want, got)
        _answer(r, 503, {'Retry-After': time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(time.time() + 100))})
        check(80000 < s.send()['after_ms'] <= 100000)
        is_sent(s.send())


def a_server_with_a_problem_is_asked_again_later():
    with Receiver() as r, Sender('http', _config(r.url)) as s:
        for status in (500, 502, 504, 408, 301, 307):
            _answer(r, status, {'Location': 'http://127.0.0.1:1/'})
            is_later(s.send(), f'answers {status}: ')
        is_sent(s.send())
        check(all(b'alert \\u00e9 1 ' in x.body for x in r.requests), 'another one was sent')


def what_is_refused_is_not_sent_again():
    with Receiver() as r, Sender('http', _config(r.url)) as s:
        for status in (400, 401, 404, 413, 422):
            _answer(r, status)
            is_refused(s.send(), 0, f'answers {status}: ')
        is_sent(s.send())
        check(b'alert \\u00e9 6 ' in r.requests[-1].body)


def the_one_of_a_batch_that_is_refused_is_found():
    """The third is bad: all others arrive, each once."""
    with Receiver() as r, Sender('http', _config(r.url, {'batch': 5})) as s:
        r.answers = [(400, {}, b''), (200, {}, b''), (200, {}, b''), (400, {}, b'')]
        is_sent(s.send(5), 1)
        is_sent(s.send(4), 1)
        is_refused(s.send(3))
        is_sent(s.send(2), 1)
        is_sent(s.send(1), 1)
        is_sent(s.send(5), 5)
        equal([len(x.body.splitlines()) for x in r.requests], [5, 1, 1, 1, 1, 1, 5])


def a_receiver_that_hangs_is_tried_as_often_as_configured():
    with Raw(None) as r, Sender('http', _config(r.url, {'timeout_ms': 300}, max_consecutive_timeouts=2)) as s:
        begin = time.monotonic()
        is_later(s.send(), 'timed out', r.url[:-1])
        check(0.85 < time.monotonic() - begin < 60)
        equal(r.n, 3)


def a_receiver_that_closes_too_early_is_told_of():
    for reply in (b'', b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'):
        with Raw(reply) as r, Sender('http', _config(r.url)) as s:
            is_later(s.send(), r.url[:-1])


def answers_that_are_none_do_no_harm():
    for reply in (b'\0' * 70000, b'SSH-2.0-x\r\n', b'HTTP/1.1 200 OK\r\n' + b'A: ' + b'x' * 300000 + b'\r\n\r\n',
                  b'HTTP/9.9 777 \x1b[2J\r\n\r\n', b'HTTP/1.1 -1 x\r\n\r\n', b'\x16\x03\x01\x02\x00'):
        with Raw(reply) as r, Sender('http', _config(r.url, {'timeout_ms': 2000}, max_consecutive_timeouts=0)) as s:
            got = s.send()
            is_later(got)
            check('\x1b' not in got['error'], got)


def an_answer_without_end_is_as_good_as_its_status():
    with Raw(b'HTTP/1.1 200 OK\r\n\r\n', endless=True) as r, Sender('http', _config(r.url)) as s:
        is_sent(s.send())
    with Raw(b'HTTP/1.1 404 No\r\n\r\n', endless=True) as r, Sender('http', _config(r.url)) as s:
        is_refused(s.send())


def nobody_there_is_no_error_when_it_starts():
    port = free_port()
    with Sender('http', _config(f'http://127.0.0.1:{port}/x')) as s:
        equal(s.opened['outcome'], 'OPEN')
        is_later(s.send(), f'http://127.0.0.1:{port}: ')
        with Receiver(port=port) as r:
            is_sent(s.send())
            equal(len(r.requests), 1)


def a_secret_in_the_url_is_not_told():
    port = free_port()
    with Sender('http', _config(f'http://user:{SECRET}@127.0.0.1:{port}/{SECRET}?token={SECRET}#{SECRET}')) as s:
        got = s.send()
        is_later(got, f'http://127.0.0.1:{port}: ')
        check(SECRET not in got['error'], got)
    does_not_open('http', _config(f'ftp://user:{SECRET}@h/'), 'http_output.url')
    with Sender('http', _config(f'http://user:{SECRET}@[::1/')) as s:
        check(SECRET not in s.send()['error'])


def both_ends_prove_who_they_are():
    with Receiver(f'{CERTS}/server', f'{CERTS}/ca.crt') as r:
        with Sender('http', _mtls(r.url)) as s:
            is_sent(s.send())
        with Sender('http', _config(r.url)) as s:
            is_later(s.send(), r.url.rsplit('/', 1)[0])
        with Sender('http', _mtls(r.url, 'alien')) as s:
            is_later(s.send())
        equal(len(r.requests), 1)


def nginx_takes_alerts_of_a_client_with_a_certificate():
    with Receiver() as r, Nginx(CERTS, r.url.rsplit('/', 1)[0]) as front:
        with Sender('http', _mtls(front.url, own={'batch': 100}, compress_uploads=True)) as s:
            for _ in range(3):
                is_sent(s.send(100), 100)
        with Sender('http', _config(front.url)) as s:
            is_refused(s.send(), 0, 'answers 400')
        equal(len(r.requests), 3)
        equal(r.requests[0].headers['X-Client'], 'CN=client')
        equal(sum(len(x.body.splitlines()) for x in r.requests), 300)


def bad_certificates_are_not_believed():
    for name, word in (('expired', 'expired'), ('elsewhere', "127.0.0.1"), ('alien', 'certificate')):
        with Receiver(f'{CERTS}/{name}') as r:
            with Sender('http', _config(r.url)) as s:
                is_later(s.send(), word)
            equal(r.requests, [])
            with Sender('http', _config(r.url, insecure=True)) as s:
                is_sent(s.send())


def authorities_are_a_file_or_a_folder():
    os.makedirs(f'{CERTS}/folder', exist_ok=True)
    equal(os.system(f'cp {CERTS}/ca.crt {CERTS}/folder/ && openssl rehash {CERTS}/folder'), 0)
    for keys in ({'ca_cert': '', 'ca_bundle': f'{CERTS}/ca.crt'}, {'ca_cert': '', 'ca_path': f'{CERTS}/folder'}):
        with Receiver(f'{CERTS}/server') as r, Sender('http', _config(r.url, **keys)) as s:
            is_sent(s.send())
    for keys in ({'ca_cert': f'{CERTS}/other.crt', 'ca_path': f'{CERTS}/folder'}, {'ca_cert': ''}):
        with Receiver(f'{CERTS}/server') as r, Sender('http', _config(r.url, **keys)) as s:
            is_later(s.send(), 'certificate')


def a_receiver_that_speaks_no_tls_is_told_of():
    with Receiver() as r, Sender('http', _config(r.url.replace('http:', 'https:'), {'timeout_ms': 2000},
                                                 max_consecutive_timeouts=0)) as s:
        is_later(s.send(), 'https://127.0.0.1')


def what_can_not_work_is_told_with_its_key():
    does_not_open('http', _config(''), 'http_output.url')
    does_not_open('http', _config('https://'), 'http_output.url: ')
    does_not_open('http', _config('file:///etc/passwd'), 'http_output.url: ')
    does_not_open('http', _config('https://h/', ca_cert=f'{CERTS}/none'), 'http_output.ca_cert: ', 'No such file')
    does_not_open('http', _config('https://h/', ca_bundle=f'{CERTS}/none'), 'http_output.ca_bundle: ')
    does_not_open('http', _mtls('https://h/', 'none'), 'http_output.client_cert: ')
    does_not_open('http', _config('http://h/', {'headers': ['no colon ' + SECRET]}), 'saker.http_output.headers: ')
    does_not_open('http', _config('http://h/', {'headers': ['A: b\r\nC: ' + SECRET]}), 'saker.http_output.headers: ')


if __name__ == '__main__':
    run(globals())
