# SPDX-License-Identifier: GPL-2.0-only
"""
The stream of commands as the host saw it, from QEMU's own trace.

The host's table of resources is modelled from one device reset to the next:
a command that names a resource which the host cannot know is a failure of the
guest, whatever QEMU answers to it, and so is a wrong order.
"""

import re

TRACE = ('virtio_gpu_*', 'virtio_set_status', 'virtio_blk_handle_read')
# A command does not say which GPU it is for; the queue that it came from does.
TRACE_SEVERAL = TRACE + ('virtio_queue_notify', 'virtqueue_pop')

_EVENT = re.compile(r'^(?:\d+@(\d+\.\d+):)?((?:virtio_gpu|virtio_set_status|virtio_blk|'
                    r'virtio_queue_notify|virtqueue_pop)\w*) (.*)$')
_FIELD = re.compile(r'(\w+) (0x[0-9a-f]+|\d+)')

# Lines that QEMU writes and that are nobody's fault. Each with its reason.
ALLOWED = (
    (r'^# ', 'the host of our own tells what it was asked to do'),
    (r"^Invalid (read|write) at addr 0xB00[0-9A-F]{5}, size \d, region '\(null\)'",
     'S3: SeaBIOS uses the PCI configuration window before it has opened it again'),
    (r'^virtio_mmio_write: bad register offset \(0xac\)$',
     'Linux asks for a shared memory region, which QEMU 7.2 does not have on mmio'),
)

# What virglrenderer writes to QEMU's stderr when nothing is wrong.
RENDERER = (
    (r'^gl_version \d+ - core profile enabled$', 'it begins'),
    (r'^GLSL feature level \d+$', 'a context is created'),
)


def renderer_problems(text):
    """Lines of QEMU's stderr in which virglrenderer complains"""
    return [line for line in text.splitlines()
            if line.strip() and not any(re.search(a, line) for a, _ in RENDERER + ALLOWED)]


# The host of our own says so at its start.
REMEMBERS = '# a reset does not take resources'


class Command:
    """One thing that the guest told the GPU."""

    def __init__(self, name, line, time=None, device=None, **fields):
        self.name, self.line = name, line
        self.time = time                # in seconds, if QEMU was told to note it
        self.device = device            # None where there is one GPU
        self.resource = fields.get('res', 0)
        self.fields = fields

    def __repr__(self):
        return f'{self.name}({self.line})'


class Commands:
    """What one device was told, RESET among it."""

    PICTURE = None                      # the command that makes the host show one

    def __init__(self):
        self.commands = []
        self.errors = []                # what QEMU complained about

    @property
    def resets(self):
        """How often the device was reset."""
        return sum(c.name == 'RESET' for c in self.commands)

    def since_reset(self):
        """The commands of the device's present life."""
        resets = [i for i, c in enumerate(self.commands) if c.name == 'RESET']
        return self.commands[resets[-1] + 1:] if resets else self.commands

    def until_first_flush(self):
        """The commands from the last reset to the first picture, that included."""
        commands = self.since_reset()
        for i, command in enumerate(commands):
            if command.name == self.PICTURE:
                return commands[:i + 1]
        return commands


class HostLog(Commands):
    """What one GPU was told, from a log that may tell of others and of the disk."""

    PICTURE = 'res_flush'
    tells_cursor = True                 # and so it is judged

    def __init__(self, text, gpu=0):
        super().__init__()
        self._blocks = set()
        self._statuses = []
        self._kicks = []
        self._owners = {}               # queue: device
        self._popped = None             # device whose queue was served last
        self._all = []
        for number, line in enumerate(text.splitlines(), 1):
            self._parse(number, line)
        self._add_resets()
        #: the devices in the order in which the guest's kernel found them
        self.gpus = list(dict.fromkeys(
            device for _, _, device, value in self._statuses
            if value and device not in self._blocks))
        self.commands = [c for c in self._all if self._is_for(c, gpu)]

    def _parse(self, number, line):
        match = _EVENT.match(line)
        if not match:
            if line.strip() and not any(re.search(a, line) for a, _ in ALLOWED):
                self.errors.append(line.strip())
            return
        time, event, rest = match.groups()
        time = time and float(time)
        fields = {k: int(v, 0) for k, v in _FIELD.findall(rest)}
        if event == 'virtio_blk_handle_read':
            self._blocks.add(fields['vdev'])
        elif event == 'virtio_set_status':
            self._statuses.append((number, time, fields['vdev'], fields['val']))
        elif event == 'virtio_queue_notify':
            self._kicks.append((number, fields['vdev']))
            self._owners[fields['vq']] = fields['vdev']
        elif event == 'virtqueue_pop':
            self._popped = self._owners.get(fields['vq'])
        elif event == 'virtio_gpu_update_cursor':
            name = 'move_cursor' if ' move,' in rest else 'update_cursor'
            self._all.append(Command(name, number, time, self._popped, **fields))
        elif event.startswith('virtio_gpu_cmd_'):
            name = event[len('virtio_gpu_cmd_'):]
            self._all.append(Command(name, number, time, self._popped, **fields))
        elif event.startswith('virtio_gpu_') and not event.startswith(
                ('virtio_gpu_fence', 'virtio_gpu_features', 'virtio_gpu_inc_inflight',
                 'virtio_gpu_dec_inflight')):
            self.errors.append(line.strip())

    def _add_resets(self):
        """Status 0 is a reset. What is not the disk is a GPU: there is nothing else."""
        resets = [Command('RESET', number, time, device) for number, time, device, value
                  in self._statuses if not value and device not in self._blocks]
        self._all = sorted(self._all + resets, key=lambda c: c.line)

    def _is_for(self, command, gpu):
        if len(self.gpus) < 2:
            return True
        return gpu < len(self.gpus) and command.device == self.gpus[gpu]

    def nobodys(self):
        """Commands that cannot be told apart: the log is not good enough."""
        return [c for c in self._all if len(self.gpus) > 1 and c.device not in self.gpus]

    @property
    def kicks(self):
        """The lines at which the guest notified the GPU, if QEMU was told to note it."""
        return [line for line, device in self._kicks if device not in self._blocks]

    @property
    def creations(self):
        """How many resources were ever created."""
        return sum(c.name.startswith('res_create') for c in self.commands)

    def after(self, line):
        """The commands since a moment that was noted as its last line."""
        return [c for c in self.commands if c.line > line]

    @property
    def last_line(self):
        return self.commands[-1].line if self.commands else 0

    def cursor(self, scanout):
        """(x, y, resource) as the host was last told, or None since the reset."""
        state = None
        for command in self.since_reset():
            if not command.name.endswith('_cursor') or command.fields['scanout'] != scanout:
                continue
            x, y = command.fields['x'], command.fields['y']
            if command.name == 'update_cursor':
                state = (x, y, command.resource)
            elif state:
                state = (x, y, state[2])
        return state

    def where(self, position, _):
        """What the host is told of a cursor that is here."""
        return tuple(position)


class Host:
    """What the host knows of the guest's resources."""

    def __init__(self, keeps=False):
        self.problems = []
        self.keeps = keeps              # it remembers resources over a reset
        self.known, self.old = set(), set()
        self.reset()

    def reset(self):
        if self.keeps:
            self.old |= self.known
        self.known, self.backed = set(), set()
        self.contexts = {0}

    def _problem(self, command, what):
        self.problems.append(f'line {command.line}: {command.name} {what}')

    def run(self, commands):
        for command in commands:
            if command.name == 'RESET':
                self.reset()
            else:
                self._one(command)
        return self

    def _one(self, command):
        name, resource = command.name, command.resource
        if name.startswith('ctx_'):
            self._context(command)
            if name not in ('ctx_res_attach', 'ctx_res_detach'):
                return
        if name == 'res_unref' and self.keeps and resource not in self.known:
            self.old.discard(resource)  # or it was that of a process before
        elif name in ('res_create_2d', 'res_create_3d', 'res_create_blob'):
            self._create(command)
        elif resource == 0:
            if name.startswith('res_'):
                self._problem(command, 'of resource 0')
        elif resource not in self.known:
            self._problem(command, f'of resource {resource:#x}, which the host does not know')
        elif name == 'res_unref':
            self.known.discard(resource)
            self.backed.discard(resource)
        elif name == 'res_back_attach':
            if resource in self.backed:
                self._problem(command, f'a second time for resource {resource:#x}')
            self.backed.add(resource)
        elif name == 'res_back_detach':
            if resource not in self.backed:
                self._problem(command, f'of resource {resource:#x}, which has no backing')
            self.backed.discard(resource)
        elif name in ('set_scanout', 'set_scanout_blob', 'res_xfer_toh_2d', 'res_flush',
                      'update_cursor') and resource not in self.backed:
            self._problem(command, f'of resource {resource:#x} before its backing')

    def _context(self, command):
        name, context = command.name, command.fields['ctx']
        if name == 'ctx_create':
            if context in self.contexts:
                self._problem(command, f'of context {context:#x}, which exists')
            self.contexts.add(context)
        elif context not in self.contexts:
            self._problem(command, f'of context {context:#x}, which the host does not know')
        elif name == 'ctx_destroy':
            self.contexts.discard(context)

    def _create(self, command):
        if command.resource in self.old:
            return                      # it is refused, and the guest did not know
        if command.resource in self.known:
            self._problem(command, f'of resource {command.resource:#x}, which exists')
        self.known.add(command.resource)
        if command.name == 'res_create_blob':
            self.backed.add(command.resource)   # it comes with its pages


def problems(text):
    """Everything that is wrong in a log, one line each; empty is what a test wants."""
    log = HostLog(text)
    keeps = REMEMBERS in text
    found = [f'QEMU: {error}' for error in log.errors]
    found += [f'line {c.line}: nobody knows which GPU {c.name} is for' for c in log.nobodys()]
    for gpu in range(max(1, len(log.gpus))):
        commands = HostLog(text, gpu).commands
        if not any(command.name != 'RESET' for command in commands):
            found.append(f'the host saw no command of GPU {gpu} at all')
        found += Host(keeps).run(commands).problems
    return found
