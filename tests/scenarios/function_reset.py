# SPDX-License-Identifier: GPL-2.0-only
"""
A function reset through sysfs, three times: everything comes back by itself.

The host shows the same picture although nobody draws, each reset counts as one,
and a client whose work goes on meanwhile gets no error. Then two in the middle of
which the driver is unbound and bound. virtio-pci of 6.12 does not tell its drivers of
such a reset: skipped there.
no_console_suspend: not used.
"""

from verdict import Skip
from vm import Setup

SETUP = Setup(cpus=2, more_devices=('pcie-root-port,id=port0',), device_options='bus=port0')


def story(vm):
    if not vm.kernel_has('virtio_device_reset_prepare'):
        raise Skip('virtio of this kernel does not tell its drivers of function resets')
    guest = vm.power_on()
    vm.draw_desktop()
    busy = guest.create(1, 64, 64, kind='resource')[0]
    before = vm.virt_pm()
    for number in range(1, 4):
        resets = vm.host_log().resets
        guest.be_busy(busy)
        vm.reset_function()
        guest.be_idle()
        vm.expect(vm.host_log().resets > resets, 'the device was not reset')
        vm.expect_same_picture()
        after = vm.virt_pm()
        vm.expect(after.epoch == before.epoch + number,
                  f'epoch {after.epoch} after {number} resets, {before.epoch} before')
        guest.flip(0, guest.create(1, *guest.outputs[0])[0])
        vm.expect_picture()

    guest.close_cards()
    vm.reset_function(beside='unbind')
    vm.reset_function(beside='bind')
    vm.draw_desktop()
    vm.reset_function()
    vm.expect_same_picture()
