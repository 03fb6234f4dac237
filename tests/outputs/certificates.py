# SPDX-License-Identifier: Apache-2.0
"""Certificates as servers and clients have them, good and bad, made by openssl."""
import os
import subprocess

_CONFIG = '''
[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
'''


def _openssl(*args):
    r = subprocess.run(['openssl', *args], capture_output=True)
    assert not r.returncode, r.stderr


def _authority(folder, name):
    _openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', f'/CN={name}',
             '-keyout', f'{folder}/{name}.key', '-out', f'{folder}/{name}.crt', '-days', '30')


def _issue(folder, ca, name, alternative, start='20200101000000Z', end='20400101000000Z'):
    _openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', f'/CN={name}',
             '-addext', f'subjectAltName={alternative}', '-keyout', f'{folder}/{name}.key', '-out', f'{folder}/{name}.csr')
    _openssl('ca', '-batch', '-config', f'{folder}/ca.cnf', '-cert', f'{folder}/{ca}.crt', '-keyfile', f'{folder}/{ca}.key',
             '-in', f'{folder}/{name}.csr', '-out', f'{folder}/{name}.crt', '-notext', '-startdate', start, '-enddate', end)


def make(folder):
    """NAME.crt and NAME.key: ca and other (two authorities); server, expired, elsewhere and client of ca; alien of other."""
    os.makedirs(folder, exist_ok=True)
    with open(f'{folder}/ca.cnf', 'w') as f:
        f.write(_CONFIG.format(folder=folder))
    open(f'{folder}/index', 'w').close()
    with open(f'{folder}/serial', 'w') as f:
        f.write('1000\n')
    here = 'IP:127.0.0.1,DNS:localhost'
    _authority(folder, 'ca')
    _authority(folder, 'other')
    _issue(folder, 'ca', 'server', here)
    _issue(folder, 'ca', 'expired', here, end='20210101000000Z')
    _issue(folder, 'ca', 'elsewhere', 'DNS:elsewhere.example')
    _issue(folder, 'ca', 'client', 'DNS:client')
    _issue(folder, 'other', 'alien', here)
    return folder
