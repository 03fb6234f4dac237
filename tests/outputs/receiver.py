# SPDX-License-Identifier: Apache-2.0
"""Receivers over HTTP: what came is kept, what is answered is chosen by the test."""
import gzip
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../cli'))
import tap  # noqa: E402


class Request:
    def __init__(self, handler, body):
        self.path, self.headers, self.raw = handler.path, dict(handler.headers.items()), body
        self.peer = handler.client_address
        self.body = gzip.decompress(body) if self.headers.get('Content-Encoding') == 'gzip' else body


class Receiver:
    """answers: what the next requests get, each (status, headers, body); afterwards 200."""

    def __init__(self, certificate=None, client_ca=None, port=0):
        self.requests, self.answers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            wbufsize = -1  # an answer is one piece: no waiting for acknowledgements
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                outer.requests.append(Request(self, body))
                status, headers, text = outer.answers.pop(0) if outer.answers else (200, {}, b'ok')
                self.send_response(status)
                for k, v in {'Content-Length': len(text), **headers}.items():
                    self.send_header(k, v)
                self.end_headers()
                self.wfile.write(text)
                self.wfile.flush()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Server(('127.0.0.1', port), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate + '.crt', certificate + '.key')
            if client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f'http{"s" if certificate else ""}://127.0.0.1:{self.port}/alerts'
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Raw:
    """A server that says these bytes to whoever comes, waits, and closes; None: it never answers."""

    def __init__(self, reply, endless=False):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}/'
        self.n = 0
        self.reply, self.endless = reply, endless
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                c = self.socket.accept()[0]
            except OSError:
                return
            self.n += 1
            threading.Thread(target=self._talk, args=(c,), daemon=True).start()

    def _talk(self, c):
        try:
            got = b''
            while b'\r\n\r\n' not in got:
                got += c.recv(65536)
            if self.reply is None:
                c.recv(1 << 20)  # until the other end gives up
                c.recv(1 << 20)
            else:
                c.sendall(self.reply)
                while self.endless:
                    c.sendall(b'x' * 65536)
            c.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def wait_for_port(port):
    end = time.monotonic() + 30 * tap.PATIENCE
    while time.monotonic() < end:
        try:
            return socket.create_connection(('127.0.0.1', port), 1).close()
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f'nobody listens on port {port}')


class Nginx:
    """A real server, which asks clients for a certificate and passes on to a receiver behind it."""

    def __init__(self, certificates, to):
        program = shutil.which('nginx', path='/usr/sbin:/usr/bin:' + os.environ.get('PATH', ''))
        if not program:
            tap.skip('nginx is not installed')
        self.port = free_port()
        self.url = f'https://127.0.0.1:{self.port}/alerts'
        folder = os.path.join(tap.TMP, f'nginx-{self.port}')
        os.mkdir(folder)
        c = certificates
        with open(f'{folder}/conf', 'w') as f:
            f.write(f'''daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    ssl_certificate {c}/server.crt; ssl_certificate_key {c}/server.key;
    ssl_client_certificate {c}/ca.crt; ssl_verify_client on;
    location / {{ proxy_pass {to}; proxy_set_header X-Client $ssl_client_s_dn; }}
  }}
}}''')
        self.p = subprocess.Popen([program, '-p', folder, '-c', f'{folder}/conf'], stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()
