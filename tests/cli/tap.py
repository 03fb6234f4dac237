# SPDX-License-Identifier: Apache-2.0
"""Command-line tests: functions whose names read as sentences, run in order and reported as TAP.

SAKER in the environment is the program, SAKER_SOURCE the source tree; else those of this checkout.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

SOURCE = os.environ.get('SAKER_SOURCE', os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SAKER = os.environ.get('SAKER', f'{SOURCE}/build/saker')
TMP = tempfile.mkdtemp(prefix='saker-test-')
# Emulated machines are slow: how many times as long to wait for things.
PATIENCE = float(os.environ.get('SAKER_PATIENCE', 1))


# Who starts a test in the background has its programs ignore these, which are to end by them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class _Skipped(Exception):
    pass


def capture(name):
    return f'{SOURCE}/tests/captures/{name}'


def saker(*args, stdin=b'', timeout=120 * PATIENCE, **more):
    """Runs the program; standard output and error are bytes in the result."""
    source = {'stdin': stdin} if not isinstance(stdin, bytes) else {'input': stdin}
    env = {**os.environ, 'TZ': 'UTC', **more.pop('env', {})}
    return subprocess.run([SAKER, *args], capture_output='stdout' not in more, timeout=timeout, env=env, **source,
                          **more)


def file(name, content=b''):
    """A file of the test's own; its path."""
    path = os.path.join(TMP, name)
    with open(path, 'wb') as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def check(condition, *say):
    if not condition:
        raise AssertionError(' '.join(str(x) for x in say)[:2000])


def equal(got, want, *say):
    check(got == want, *say, f'got {got!r:.600}, want {want!r:.600}')


def fails(run, status, *texts):
    """It ended with this status, said these texts on standard error, and did not crash."""
    equal(run.returncode, status, run.stderr)
    for text in texts:
        check(text.encode() in run.stderr, f'{text!r} is not in', run.stderr)
    check(run.stderr.strip(), 'nothing on standard error')


def done(run):
    equal(run.returncode, 0, run.stderr)
    return run.stdout


def skip(why):
    """The test at hand cannot be made here."""
    raise _Skipped(why)


def run(module):
    tests = [(n, f) for n, f in module.items()
             if callable(f) and n[0] != '_' and getattr(f, '__module__', '') == '__main__']
    failed = 0
    print(f'1..{len(tests)}')
    for i, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f'ok {i} {name}')
        except _Skipped as e:
            print(f'ok {i} {name} # SKIP {e}')
        except Exception:
            failed += 1
            print(f'not ok {i} {name}')
            print('# ' + traceback.format_exc().strip().replace('\n', '\n# '))
        sys.stdout.flush()
    shutil.rmtree(TMP)
    sys.exit(1 if failed else 0)
