# SPDX-License-Identifier: Apache-2.0
"""A simulated runtime at a socket of its own, whose answers are those of a real Docker or what a test says."""
import os
import socketserver
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler

from tap import SOURCE, TMP

ID = '4d298c9129a361db3abb51e09f58b528bfecb6c7587db6a60854b0e8e340eec8'


def recorded(name):
    with open(f'{SOURCE}/tests/fuzz/corpus/runtime/{name}', 'rb') as f:
        return f.read()[5:]  # behind what the fuzzer reads


class Server(socketserver.ThreadingUnixStreamServer):
    """Answers by the longest beginning of the path that is in `answers`: bytes, None (not found), or what a function does."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path, answers):
        self.path = path
        self.answers = answers
        self.asked = []
        super().__init__(path, _Handler)

    def handle_error(self, *_):
        """Whoever asked has gone."""


class Docker(Server):
    """Answers like a real one, unless `answers` says otherwise."""

    n = 0

    def __init__(self, answers=None):
        Docker.n += 1
        super().__init__(os.path.join(TMP, f'docker{Docker.n}.sock'),
                         {'/containers/json': recorded('docker-list'), f'/containers/{ID[:12]}': recorded('docker-inspect'),
                          '/images/': recorded('docker-image'), **(answers or {})})
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def address_string(self):
        return ''

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(urllib.parse.unquote(self.path))
        for start in sorted(self.server.answers, key=len, reverse=True):
            if self.path.startswith(start):
                answer = self.server.answers[start]
                if callable(answer):
                    answer(self)
                elif answer is None:
                    self.give(404, b'{"message":"No such container"}')
                else:
                    self.give(200, answer)
                return
        self.give(404, b'{}')

    def give(self, status, body):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
