# SPDX-License-Identifier: GPL-2.0-only
"""The judge of the kernel's log."""

import re

_SPLATS = (
    r'\bWARNING: ',
    r'\bBUG: |kernel BUG at |\bBUG ',
    r'\bOops: ',
    r'general protection fault',
    r'Kernel panic',
    r'Call Trace:',
    r'-+\[ cut here \]-+',
    r'possible .* detected',            # lockdep
    r'suspicious RCU usage',
    r'inconsistent lock state',
    r'DEBUG_LOCKS_WARN_ON',
    r'INFO: task .* blocked for more than',
    r'\bstall(s|ed)? on CPU',
    r'detected stalls',
    r'soft lockup|hard LOCKUP',
    r'\bKASAN: ',
    r'\bUBSAN: ',
    r'kmemleak: .*(new suspected|disabled|Cannot)',
    r'unreferenced object',
    r'page allocation failure',
    r'refcount_t: ',
    r'messages dropped',
    r'\b(flip_done|hw_done|cleanup_done|commit wait|vblank wait) timed out',     # of a commit
)
_ERRORS = (
    r'\*ERROR\*',
    r'[Ff]ailed to (freeze|suspend|resume|restore|thaw)',
    r'\breturned -\d+',
    r'virtio_gpu.*response 0x12',       # the host refused a command
    r'driver is in bug mode',           # a qxl, likewise
)

SPLAT = re.compile('|'.join(_SPLATS))
BAD = re.compile('|'.join(_SPLATS + _ERRORS))

# What stock kernels say as well, under TCG and in this small machine.
ALLOWED = (
)


# What the kernel says of a failure that a test injected, down to its stack.
_INJECTED = 'FAULT_INJECTION: forcing a failure.'
_STACK_END = '</TASK>'
_STACK_LINES = 250
_FRAME = re.compile(r'\]  +(\w+)[\w.]*\+0x')


class Injections:
    """The injected failures in a log: the stack of each, and the lines without them."""

    def __init__(self, text):
        self.stacks, self.rest = [], []
        lines = text.replace('\r', '').split('\n')
        start = 0
        while start < len(lines):
            end = start + 1
            if _INJECTED in lines[start]:
                end = next((number for number, line in
                            enumerate(lines[start:start + _STACK_LINES], start + 1)
                            if line.endswith(_STACK_END)), end)
                self.stacks.append([frame[1] for frame in
                                    map(_FRAME.search, lines[start:end]) if frame])
            else:
                self.rest.append(lines[start])
            start = end


def problems(text, expected=()):
    """The lines that should not be there; @expected are a scenario's own."""
    allowed = [re.compile(pattern) for pattern, _ in ALLOWED]
    allowed += [re.compile(pattern) for pattern in expected]
    return [line.strip() for line in Injections(text).rest
            if BAD.search(line) and not any(a.search(line) for a in allowed)]


def splats(text):
    """Only what no kernel should ever say: unit tests provoke errors on purpose."""
    return [line.strip() for line in text.replace('\r', '').split('\n')
            if SPLAT.search(line)]
