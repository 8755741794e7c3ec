# SPDX-License-Identifier: GPL-2.0-only
"""
Stops one thread of another process, as a debugger does.

A host hangs when the thread that serves a device does not run any more, while its
virtual processors do. It goes on where it was.
"""

import contextlib
import ctypes
import os
import time
from pathlib import Path

from verdict import Failure, Skip

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17    # of ptrace(2)
_STOP_SECONDS = 10

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def threads(pid, name):
    """The threads of a process that are called so."""
    return [int(task.name) for task in Path(f'/proc/{pid}/task').iterdir()
            if (task / 'comm').read_text().strip() == name]


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None):
        error = ctypes.get_errno()
        raise OSError(error, f'ptrace: {os.strerror(error)}')


@contextlib.contextmanager
def frozen(pid, name):
    """Inside, this thread does not run. Only its tracer, which is our thread, ends that."""
    found = threads(pid, name)
    if not found:
        raise Failure(f'QEMU has no thread "{name}"')
    seized = []
    try:
        for thread in found:
            try:
                _ptrace(_SEIZE, thread)
            except PermissionError as error:
                raise Skip('a thread of QEMU may not be traced here') from error
            seized.append(thread)
            _ptrace(_INTERRUPT, thread)
            _wait_until_stopped(thread)
        yield
    finally:
        for thread in seized:
            with contextlib.suppress(OSError):
                _ptrace(_DETACH, thread)


def _wait_until_stopped(thread):
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        done, _ = os.waitpid(thread, os.WNOHANG | 0x40000000)       # __WALL
        if done:
            return
        time.sleep(0.01)
    raise Failure('a thread of QEMU does not stop')
