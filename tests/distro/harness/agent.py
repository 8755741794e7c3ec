# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's guest agent: runs commands in the guest, as root."""

import base64
import json
import secrets
import socket
import time

from verdict import Failure


class Agent:
    """The guest may boot, sleep or not be there: each answer has a limit."""

    def __init__(self, path, timeout):
        self.path, self.timeout = path, timeout
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self._rest = b''

    def close(self):
        self.socket.close()

    def _line(self, deadline):
        while b'\n' not in self._rest:
            self.socket.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = None
            if data == b'':
                raise Failure('QEMU closed the socket of the agent')
            if data is None:
                if time.monotonic() >= deadline:
                    return None
                continue
            self._rest += data
        line, _, self._rest = self._rest.partition(b'\n')
        return line.strip(b'\xff')

    def _send(self, command, arguments):
        request = {'execute': command, 'arguments': arguments}
        try:
            self.socket.sendall(json.dumps(request).encode() + b'\n')
        except OSError as error:
            raise Failure(f'QEMU closed the socket of the agent: {error}') from error

    def ask(self, command, timeout=None, **arguments):
        self._send(command, arguments)
        deadline = time.monotonic() + (timeout or self.timeout)
        line = self._line(deadline)
        if line is None:
            raise Failure('the agent in the guest does not answer')
        answer = json.loads(line)
        if 'error' in answer:
            raise Failure(f'{command}: {answer["error"]["desc"]}')
        return answer['return']

    def is_there(self, timeout=1.0):
        """Whether it answers now; what it said before is thrown away."""
        number = secrets.randbelow(1 << 31)
        request = {'execute': 'guest-sync-delimited', 'arguments': {'id': number}}
        self.socket.settimeout(1)
        try:
            # 0xff ends what was sent before by half
            self.socket.sendall(b'\xff' + json.dumps(request).encode() + b'\n')
        except TimeoutError:
            return False            # there is no program yet that reads it
        except OSError as error:
            raise Failure(f'QEMU closed the socket of the agent: {error}') from error
        deadline = time.monotonic() + timeout
        while True:
            line = self._line(deadline)
            if line is None:
                return False
            try:
                if json.loads(line).get('return') == number:
                    return True
            except (ValueError, AttributeError):
                pass

    def start(self, command):
        """A shell command that runs in the guest from now on"""
        return self.ask('guest-exec', path='/bin/sh', arg=['-c', command],
                        **{'capture-output': True})['pid']

    def result(self, pid, timeout):
        """(exit status, output, errors)"""
        deadline = time.monotonic() + timeout
        while True:
            answer = self.ask('guest-exec-status', min(self.timeout, timeout + 20), pid=pid)
            if answer['exited']:
                def text(name):
                    return base64.b64decode(answer.get(name, '')).decode(errors='replace')
                return answer.get('exitcode', -1), text('out-data'), text('err-data')
            if time.monotonic() > deadline:
                raise Failure('a command in the guest does not end')
            time.sleep(1)

    def write_file(self, path, data):
        handle = self.ask('guest-file-open', path=path, mode='w')
        for start in range(0, len(data), 32768):
            part = base64.b64encode(data[start:start + 32768]).decode()
            self.ask('guest-file-write', handle=handle, **{'buf-b64': part})
        self.ask('guest-file-close', handle=handle)
