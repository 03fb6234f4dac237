# SPDX-License-Identifier: Apache-2.0
"""A seccomp filter for a program that is started: what a security module would refuse is refused, with the error of one's choice."""
import ctypes
import platform
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, IS, RETURN = 0x20, 0x15, 0x06  # instructions of classic BPF
NUMBER, FIRST_ARGUMENT = 0, 16       # in struct seccomp_data
ALLOW, ERROR = 0x7fff0000, 0x00050000
AF_UNIX = 1
CALLS = {'socket': 41, 'connect': 42, 'socketpair': 53}


def possible():
    return platform.machine() == 'x86_64'


def _program(calls, error):
    """socket and socketpair: only those of UNIX, as AppArmor's 'deny network unix' has it."""
    refuse = [(RETURN, 0, 0, ERROR | error)]
    of_unix = [(LOAD, 0, 0, FIRST_ARGUMENT), (IS, 0, 1, AF_UNIX), *refuse, (RETURN, 0, 0, ALLOW)]
    steps = [(LOAD, 0, 0, NUMBER)]
    for name in calls:
        then = refuse if name == 'connect' else of_unix
        steps += [(IS, 0, len(then), CALLS[name]), *then]
    return b''.join(struct.pack('HBBI', *s) for s in steps + [(RETURN, 0, 0, ALLOW)])


def forbid(*calls, error):
    """For preexec_fn: what is executed then may not make these calls."""
    code = _program(calls, error)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_ulong]

    def enter():
        text = ctypes.create_string_buffer(code)
        filter_ = struct.pack('HP', len(code) // 8, ctypes.addressof(text))
        if prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0) or prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_, 0, 0):
            raise OSError(ctypes.get_errno(), 'seccomp')
    return enter
