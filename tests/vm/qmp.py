# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's machine protocol: one command at a time over a unix socket."""

import json
import socket

from verdict import Failure


class Qmp:
    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.stream = self.socket.makefile('rb')
        self.events = []
        self._receive()                     # the greeting
        self.execute('qmp_capabilities')

    def close(self):
        self.stream.close()
        self.socket.close()

    def _receive(self):
        try:
            line = self.stream.readline()
        except OSError as error:
            raise Failure(f'QEMU does not answer over QMP: {error}') from error
        if not line:
            raise Failure('QEMU closed its QMP socket')
        return json.loads(line)

    def execute(self, command, **arguments):
        request = {'execute': command, 'arguments': arguments}
        try:
            self.socket.sendall(json.dumps(request).encode() + b'\n')
        except OSError as error:
            raise Failure(f'QEMU is gone: {error}') from error
        while True:
            answer = self._receive()
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise Failure(f'QMP {command}: {answer["error"]["desc"]}')
            self.events.append(answer)

    def shutdown_reason(self):
        """Why QEMU ended, once it has: "guest-shutdown" is a guest that powered off."""
        try:
            while True:
                self.events.append(self._receive())
        except Failure:
            pass                            # it hung up: there is no more to read
        for event in self.events:
            if event.get('event') == 'SHUTDOWN':
                return event['data']['reason']
        return None
