# SPDX-License-Identifier: GPL-2.0-only
"""
A guest whose two GPUs share buffers: amdgpu on its model, and a virtio-gpu on the host
of our own, which can have blobs.

A shared buffer is right if the host shows what is in it, and if both engines of the GPU
read that and write it.
"""

import dataclasses
import re

from guest import Refused
from model import SLOT, ModelQemu, ModelSetup, ModelVm
from own_host import DEVICE, OwnHostQemu, OwnHostSetup, OwnHostVm
from verdict import Failure, Skip
from vm import PM_PRINT_TIMES

BLOBS = ('--blob',)


@dataclasses.dataclass
class SharedSetup(ModelSetup, OwnHostSetup):
    """Such a machine; buffers of amdgpu can be shown if the host has BLOBS."""

    virtio_gpu: bool = True
    device: str = DEVICE
    host: str = 'own'
    host_options: tuple = BLOBS


class SharedQemu(OwnHostQemu, ModelQemu):
    """QEMU, and both of the processes that it is connected to."""


class SharedVm(ModelVm, OwnHostVm):
    """Such a guest; @setup is a SharedSetup."""

    QEMU = SharedQemu

    def start_sharing(self, *kinds):
        """A desktop, and what share() does."""
        if set(kinds) != {'dumb'} and not self.kernel_has('virtgpu_dma_buf_import_sgt'):
            raise Skip('this virtio-gpu does not import')
        self.power_on_with_driver('CPX')
        self.draw_desktop()
        self.share(*kinds)

    def share(self, *kinds):
        """
        A client of the GPU, and two buffers of each kind: "dumb" ones of the display
        that the GPU imports, "gtt" and "vram" of the GPU that the display does. One of
        the last kind is shown.
        """
        guest = self.guest
        self.use_gpu()
        size = guest.outputs[0]
        self.canvas, _ = guest.gpu_picture('gtt', *size)
        self.copy, _ = guest.gpu_picture('vram', *size)
        self.shared = [guest.gpu_import(*size) if kind == 'dumb' else
                       guest.gpu_export(kind, *size) for kind in kinds for _ in range(2)]
        self.use_shared()

    def use_shared(self):
        """Each gets another picture by the GPU, is shown, and is read by the GPU."""
        guest = self.guest
        for buffer in self.shared:
            guest.gpu_draw(self.canvas, buffer)
            guest.flip(0, buffer)
            self.expect_picture()
            self._expect_gpu_reads(buffer)

    def _expect_gpu_reads(self, buffer):
        """The copy of another buffer was there before."""
        self.guest.gpu_copy(buffer.gpu, self.copy)
        self.guest.gpu_check(self.copy)

    def move_shared(self):
        """All that the GPU can move goes somewhere else."""
        for kind in ('vram', 'gtt'):
            self.guest.read(f'{self.guest.gpu_debugfs()}/amdgpu_evict_{kind}')

    def expect_revoked(self):
        """The GPU is gone: none of its buffers can be shown any more."""
        for buffer in self.of_gpu():
            try:
                self.guest.flip(0, buffer)
            except Refused as error:
                self.expect(error.errno == 'ENODEV', f'{buffer}: {error.errno}')
            else:
                raise Failure(f'{buffer} of no GPU is shown')

    def of_gpu(self):
        return [buffer for buffer in self.shared if buffer.kind == 'shared']

    def suspend_and_wake_in_order(self):
        """The display, which has buffers of the GPU, sleeps before it and wakes after it."""
        display, gpu = re.escape(self.gpu_name(0)), re.escape(SLOT)
        self.guest.write(PM_PRINT_TIMES, '1')
        self.mark_kernel_log()
        self.suspend_and_wake()
        self.guest.write(PM_PRINT_TIMES, '0')
        self.expect_in_log(rf'{display}: PM: pci_pm_suspend returned 0\b',
                           rf'{gpu}: PM: calling pci_pm_suspend\b',
                           rf'{gpu}: PM: pci_pm_resume returned 0\b',
                           rf'{display}: PM: calling pci_pm_resume\b')

    def expect_gpu_reads_shared(self):
        for buffer in self.shared:
            self._expect_gpu_reads(buffer)

    def expect_shared(self, came_back=True):
        """
        All is there as it was, before it is used again; not @came_back: no GPU slept.
        """
        self.expect_picture()
        if came_back:
            self.expect_gpu_came_back()
        else:
            self.expect_gpu()
        for buffer in self.shared:
            self._expect_gpu_reads(buffer)
            self.guest.flip(0, buffer)
            self.expect_picture()
        self.use_shared()
