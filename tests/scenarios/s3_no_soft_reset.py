# SPDX-License-Identifier: GPL-2.0-only
"""
S3 of a device that keeps its state (PCI power management, No_Soft_Reset).

virtio-pci then calls nobody, so nothing may be created a second time and no
object may be taken for lost. QEMU has it from 9.1 on, on a PCIe port.
no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(newer_qemu=True, more_devices=('pcie-root-port,id=port0',),
              device_options='bus=port0,x-pcie-pm-no-soft-reset=on')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    before = vm.host_log()
    vm.suspend_and_wake()
    vm.expect_same_picture()
    after = vm.host_log()
    vm.expect(after.resets == before.resets, 'the device was reset')
    vm.expect(after.creations == before.creations, 'something was created again')
