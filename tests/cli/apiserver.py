# SPDX-License-Identifier: Apache-2.0
"""A simulated Kubernetes API server: lists, pages and watches of a few kinds, begun from recorded answers of a real one."""
import copy
import json
import re
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = {'pods': ('Pod', '/api/v1', True), 'namespaces': ('Namespace', '/api/v1', False),
         'services': ('Service', '/api/v1', True), 'replicationcontrollers': ('ReplicationController', '/api/v1', True),
         'deployments': ('Deployment', '/apis/apps/v1', True), 'replicasets': ('ReplicaSet', '/apis/apps/v1', True)}
_PATH = re.compile(r'(/api/v1|/apis/apps/v1)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?$')


class Server(ThreadingHTTPServer):
    """token: what clients must send.  certificate: (cert, key), for TLS; ca: that clients must show a certificate of."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, token=None, certificate=None, ca=None, port=0):
        self.token = token
        self.objects = {plural: {} for plural in KINDS}
        self.history = {plural: [] for plural in KINDS}
        self.version, self.oldest = 1000, 0
        self.changed = threading.Condition()
        self.asked = []      # every path with its query
        self.tokens = []     # and the token that came with it
        self.answers = []    # (regular expression, function of the handler): instead of the usual answer; True: done
        self.sockets = set()
        self.watchers = 0
        self.n_bytes = 0
        super().__init__(('127.0.0.1', port), _Handler)
        self.scheme = 'https' if certificate else 'http'
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            if ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(ca)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f'{self.scheme}://127.0.0.1:{self.server_address[1]}'
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, *_):
        pass

    def load(self, plural, text):
        for item in json.loads(text)['items']:
            self.objects[plural][item['metadata']['uid']] = item

    def put(self, plural, item):
        """Add or modify."""
        with self.changed:
            uid = item['metadata']['uid']
            self._happened(plural, 'MODIFIED' if uid in self.objects[plural] else 'ADDED', item)
            self.objects[plural][uid] = item

    def delete(self, plural, name):
        with self.changed:
            item = next(o for o in self.objects[plural].values() if o['metadata']['name'] == name)
            del self.objects[plural][item['metadata']['uid']]
            self._happened(plural, 'DELETED', item)

    def _happened(self, plural, kind, item):
        self.version += 1
        item['metadata']['resourceVersion'] = str(self.version)
        self.history[plural].append((self.version, kind, copy.deepcopy(item)))
        self.changed.notify_all()

    def compact(self):
        """What happened up to now cannot be watched any more; watches that go on see the end."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            for plural in self.history:
                self.history[plural] = []

    def drop(self):
        """Every connection breaks."""
        for s in list(self.sockets):
            try:
                s.shutdown(2)
            except OSError:
                pass

    def away(self):
        self.shutdown()
        self.server_close()
        self.drop()

    def n_asked(self, pattern):
        return sum(1 for path in self.asked if re.search(pattern, path))


def status(code, reason, message):
    return {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Failure', 'message': message,
            'reason': reason, 'code': code}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        super().setup()
        self.server.sockets.add(self.connection)

    def finish(self):
        self.server.sockets.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *_):
        pass

    def give(self, code, body, headers=()):
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.n_bytes += len(text)
        self.send_response(code)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def begin_stream(self):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()

    def chunk(self, text):
        self.server.n_bytes += len(text)
        self.wfile.write(b'%x\r\n%s\r\n' % (len(text), text))
        self.wfile.flush()

    def line(self, kind, item):
        self.chunk(json.dumps({'type': kind, 'object': item}).encode() + b'\n')

    def do_GET(self):
        server = self.server
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        token = self.headers.get('Authorization', '')
        server.asked.append(urllib.parse.unquote(self.path))
        server.tokens.append(token)
        for pattern, answer in server.answers:
            if re.search(pattern, urllib.parse.unquote(self.path)) and answer(self) is not False:
                return
        if server.token and token != f'Bearer {server.token}':
            self.give(401, status(401, 'Unauthorized', 'Unauthorized'))
            return
        self._resource(url.path)

    def _resource(self, path):
        found = _PATH.match(path)
        if path == '/api/v1/namespaces' or not found or found[3] not in KINDS:
            found = re.match(r'(/api/v1)()/(namespaces)(?:/([^/]+))?$', path)
        if not found:
            self._discovery(path)
            return
        _, namespace, plural, name = found.groups()
        items = [o for o in list(self.server.objects[plural].values()) if self._matches(o, namespace)]
        if name:
            items = [o for o in items if o['metadata']['name'] == name]
            if items:
                self.give(200, self._shaped(plural, items[0]))
            else:
                self.give(404, status(404, 'NotFound', f'{plural} "{name}" not found'))
        elif self.query.get('watch') in ('1', 'true'):
            self._watch(plural, namespace)
        else:
            self._list(plural, items)

    def _matches(self, item, namespace):
        node = re.match('spec.nodeName=(.*)', self.query.get('fieldSelector', ''))
        return (not namespace or item['metadata'].get('namespace') == namespace) and \
            (not node or item['spec'].get('nodeName') == node[1])

    def _shaped(self, plural, item):
        """As asked for: whole, or its metadata only."""
        if 'as=PartialObjectMetadata' in self.headers.get('Accept', ''):
            return {'kind': 'PartialObjectMetadata', 'apiVersion': 'meta.k8s.io/v1', 'metadata': item['metadata']}
        return {'kind': KINDS[plural][0], 'apiVersion': KINDS[plural][1].split('/', 2)[2], **item}

    def _list(self, plural, items):
        items = sorted(items, key=lambda o: (o['metadata'].get('namespace', ''), o['metadata']['name']))
        start, version = 0, str(self.server.version)
        meta = {'resourceVersion': version}
        if self.query.get('continue'):
            version, start = self.query['continue'].split('-')
            if int(version) < self.server.oldest:
                self.give(410, status(410, 'Expired', 'The provided continue parameter is too old'))
                return
            start, meta['resourceVersion'] = int(start), version
        limit = int(self.query.get('limit', '0'))
        if limit and self.query.get('resourceVersion') != '0' and start + limit < len(items):
            meta['continue'] = f'{version}-{start + limit}'
            meta['remainingItemCount'] = len(items) - start - limit
        else:
            limit = len(items)
        shaped = [self._shaped(plural, o) for o in items[start:start + limit]]
        self.give(200, {'kind': KINDS[plural][0] + 'List', 'apiVersion': 'v1', 'metadata': meta, 'items': shaped})

    def _watch(self, plural, namespace):
        server, seen = self.server, int(self.query.get('resourceVersion') or 0)
        end = time.monotonic() + float(self.query.get('timeoutSeconds', '1800'))
        if seen > server.version:
            self.give(504, status(504, 'Timeout', f'Too large resource version: {seen}, current: {server.version}'))
            return
        self.begin_stream()
        server.watchers += 1
        try:
            while time.monotonic() < end:
                with server.changed:
                    if seen < server.oldest:
                        self.line('ERROR', status(410, 'Expired', f'too old resource version: {seen} ({server.oldest})'))
                        break
                    news, current = [h for h in server.history[plural] if h[0] > seen], server.version
                    if not news:
                        server.changed.wait(0.1)
                for version, kind, item in news:
                    seen = version
                    if self._matches(item, namespace):
                        self.line(kind, self._shaped(plural, item))
                if self.query.get('allowWatchBookmarks') and not news and seen < current:
                    seen = current
                    self.line('BOOKMARK', {'kind': KINDS[plural][0], 'metadata': {'resourceVersion': str(seen)}})
            self.chunk(b'')
        except OSError:
            self.close_connection = True
        finally:
            server.watchers -= 1

    def _discovery(self, path):
        """As much as kubectl wants to know."""
        def resources(group):
            return {'kind': 'APIResourceList', 'groupVersion': group.split('/', 2)[2], 'resources': [
                {'name': plural, 'singularName': kind.lower(), 'namespaced': inside, 'kind': kind, 'verbs': ['get', 'list', 'watch']}
                for plural, (kind, base, inside) in KINDS.items() if base == group]}
        apps = {'groupVersion': 'apps/v1', 'version': 'v1'}
        known = {
            '/api': {'kind': 'APIVersions', 'versions': ['v1']},
            '/apis': {'kind': 'APIGroupList', 'apiVersion': 'v1', 'groups': [
                {'name': 'apps', 'versions': [apps], 'preferredVersion': apps}]},
            '/api/v1': resources('/api/v1'), '/apis/apps/v1': resources('/apis/apps/v1'),
            '/version': {'major': '1', 'minor': '25', 'gitVersion': 'v1.25.10'},
        }
        if path in known:
            self.give(200, known[path])
        else:
            self.give(404, status(404, 'NotFound', 'the server could not find the requested resource'))
