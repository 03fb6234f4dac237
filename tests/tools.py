# SPDX-License-Identifier: Apache-2.0
"""What tools/test says of tests that fail, so that a failure far away can be understood."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cli'))
from tap import SOURCE, TMP, check, done, equal, file, run  # noqa: E402


def _ran(body, **env):
    """What tools/test prints of a project whose only test is a TAP program of this shell text."""
    folder = os.path.join(TMP, f'p{len(os.listdir(TMP))}')
    os.mkdir(folder)
    name = os.path.basename(folder)
    file(f'{name}/meson.build', "project('x')\ntest('t', find_program('t.sh'), protocol : 'tap', timeout : 1)\n")
    os.chmod(file(f'{name}/t.sh', f'#!/bin/sh\n{body}\n'), 0o755)
    build = os.path.join(folder, 'build')
    done(subprocess.run(['meson', 'setup', build, folder], capture_output=True))
    more = {k: v for k, v in os.environ.items() if not k.startswith(('SAKER_', 'MESON_'))}
    r = subprocess.run([f'{SOURCE}/tools/test', build], capture_output=True, text=True, env={**more, **env})
    return r.returncode, r.stdout


def _says(result, status, *texts):
    equal(result[0], status, result[1])
    for text in texts:
        check(text in result[1], f'{text!r} is not in', result[1])


def a_program_that_passes_is_only_counted():
    result = _ran('echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"; echo noise >&2')
    _says(result, 0, '2 passed, 0 failed, 0 skipped')
    check('noise' not in result[1], result[1])


def a_failed_test_comes_with_its_comments_and_standard_error():
    result = _ran('echo 1..2; echo "not ok 1 - a"; echo "# because"; echo "ok 2 - b"; echo told >&2; exit 1')
    _says(result, 1, ': 1 - a\n', '# because', 'told', '1 passed, 1 failed, 0 skipped')


def a_crash_comes_with_standard_error():
    result = _ran('echo 1..2; echo "ok 1 - a"; echo "AddressSanitizer: here" >&2; kill -ABRT $$')
    _says(result, 1, 'ERROR, exit status -6', 'AddressSanitizer: here', '1 passed, 1 failed, 0 skipped')


def a_program_that_cannot_start_or_end_is_a_failure():
    _says(_ran('echo no library >&2; exit 127'), 1, 'exit status 127', 'no library', '0 passed, 1 failed, 0 skipped')


def a_skipped_test_is_a_failure_when_none_may_be():
    body = 'echo 1..1; echo "ok 1 - a # SKIP no root"'
    _says(_ran(body), 0, '0 passed, 0 failed, 1 skipped')
    _says(_ran(body, SAKER_NO_SKIP='1'), 1, '0 passed, 1 failed, 0 skipped')


run(globals())
