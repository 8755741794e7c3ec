# SPDX-License-Identifier: GPL-2.0-only
"""amdgpu in the guest: its modules and firmware, and what the agent does with it."""

import re
import sys
from pathlib import Path

import initramfs
from guest import Buffer as DisplayBuffer, Guest, Refused
from verdict import Failure, Unusable

sys.path.append(str(Path(__file__).resolve().parents[1] / 'models/mi300x'))
import firmware     # noqa: E402

DEBUGFS = '/sys/kernel/debug/dri'


def modules(kernel):
    """amdgpu and what it needs of an object tree, in the order of loading: (name, path)."""
    order = kernel / 'modules.order'
    names = order.read_text().split() if order.exists() else []
    paths = {Path(name).stem.replace('-', '_'): kernel / Path(name).with_suffix('.ko')
             for name in names}
    loaded = []

    def need(name):
        if name in (n for n, _ in loaded) or name not in paths:
            return
        data = paths[name].read_bytes()
        match = re.search(rb'\0depends=([^\0]*)\0', data)
        for other in match[1].decode().split(',') if match else []:
            need(other.replace('-', '_'))
        loaded.append((name, paths[name]))
    need('amdgpu')
    if not loaded:
        raise Unusable(f'no amdgpu.ko under {kernel}')
    return loaded


def with_driver(image, path, files):
    """A copy of @image with @files (what modules() found), and firmware."""
    files = {f'lib/modules/{name}.ko': ko.read_bytes() for name, ko in files}
    files.update({f'lib/firmware/{name}': data for name, data in firmware.files().items()})
    initramfs.with_tree(image, path, files)


class Buffer:
    """A buffer on the GPU, or in the guest's memory where the GPU reaches it."""

    def __init__(self, index, kind, size):
        self.index, self.kind, self.size = index, kind, size


class GpuGuest(Guest):
    """The agent's amdgpu commands; tests/guest/amdgpu.c, kfd.c."""

    def __init__(self):
        super().__init__()
        self.gpu_buffers = []

    def load_module(self, name, parameters=''):
        """Once only: its file is memory, which would go into every image."""
        path = f'/lib/modules/{name}.ko'
        self.do(f'load-module {path} {parameters}'.rstrip())
        self.do(f'remove {path}')

    def gpu_open(self, which=0):
        """The render node of this partition."""
        self.do(f'gpu-open {which}')

    def gpu_close(self):
        self.do('gpu-close')
        self.gpu_buffers = []

    def gpu_create(self, kind, megabytes):
        seed = len(self.gpu_buffers) + 1
        index = int(self.do(f'gpu-create {kind} {megabytes} {seed}'))
        return self._added(index, kind, megabytes << 20)

    def _added(self, index, kind, size):
        self.gpu_buffers.append(Buffer(index, kind, size))
        return self.gpu_buffers[-1]

    # Buffers that the GPU and the display share; tests/guest/shared.c

    def gpu_picture(self, kind, width, height):
        """A buffer of the GPU with a picture."""
        seed = self.next_seed()
        index = int(self.do(f'gpu-picture {kind} {width} {height} {seed}'))
        return self._added(index, kind, width * height * 4), seed

    def gpu_export(self, kind, width, height):
        """A buffer of the GPU that can be shown."""
        buffer, seed = self.gpu_picture(kind, width, height)
        shared = DisplayBuffer(int(self.do(f'gpu-export {buffer.index}')), 'shared',
                               width, height, seed)
        shared.gpu = buffer
        self.buffers.append(shared)
        return shared

    def gpu_import(self, width, height):
        """A buffer of the display that the GPU can reach."""
        shared, = self.create(1, width, height)
        index = int(self.do(f'gpu-import {shared.index}'))
        shared.gpu = self._added(index, 'dumb', width * height * 4)
        return shared

    def gpu_draw(self, canvas, shared):
        """Another picture, which the GPU copies into it."""
        shared.seed = self.next_seed()
        self.do(f'gpu-fill {canvas.index} {shared.seed}')
        self.gpu_copy(canvas, shared.gpu)

    def gpu_hold(self, megabytes):
        """So much of VRAM is in use, beside the buffers; 0 for no more."""
        self.do(f'gpu-hold {megabytes}')

    def gpu_check(self, buffer):
        self.do(f'gpu-check {buffer.index}')

    def gpu_write(self, ring, buffer, offset):
        """The GPU must write it: the CPU has put something wrong there."""
        self.do(f'gpu-write {ring} {buffer.index} {offset}')

    def gpu_copy(self, source, target):
        self.do(f'gpu-copy {source.index} {target.index}')

    def gpu_stray(self, ring):
        """The GPU writes to an address that no page table knows."""
        self.do(f'gpu-stray {ring}')

    def kfd_open(self, megabytes=4, seed=77, gpu=0, queue=False):
        """A compute process with a buffer in VRAM, and with a queue if asked for."""
        self.do(f'kfd-open {megabytes} {seed + gpu} {gpu}{" queue" * queue}')

    def kfd_check(self, gpu=0):
        self.do(f'kfd-check {gpu}')

    def kfd_close(self, gpu=0):
        self.do(f'kfd-close {gpu}')

    def gpu_debugfs(self, slot=''):
        """The amdgpu's directory in debugfs, which is not 0 beside a virtio-gpu."""
        found = self.find_gpu_debugfs(slot)
        if not found:
            raise Failure('amdgpu has no debugfs directory')
        return found

    def find_gpu_debugfs(self, slot=''):
        """
        None if there is none: an unplugged device loses it. Without @slot the first one;
        the partitions of a GPU follow it, and there are up to 8.
        """
        for minor in range(18):
            try:
                name = self.read(f'{DEBUGFS}/{minor}/name')
                if name.startswith('amdgpu') and slot in name:
                    return f'{DEBUGFS}/{minor}'
            except Refused:
                continue
        return None
