# SPDX-License-Identifier: GPL-2.0-only
"""
S3 two times in a row, with a buffer that was made in between.

no_console_suspend: used, so that the way without a console switch is taken too.
The machine is pc: SeaBIOS 1.16 does not set up the power management ports of
q35 again when it resumes, so no kernel, stock or not, gets into S3 twice there.
"""

from verdict import Skip
from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(machine='pc', no_console_suspend=True)


def story(vm):
    guest = vm.power_on()
    if 'AE_AML_LOOP_TIMEOUT' in vm.files.console_text():
        raise Skip('ACPI gave up reading the interrupts of this machine, which takes it '
                   'more than 30 seconds here')
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    guest.flip(0, guest.create(1, *guest.outputs[0])[0])
    vm.suspend_and_wake()
    vm.expect_same_picture()
