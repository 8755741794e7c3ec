# SPDX-License-Identifier: GPL-2.0-only
"""
Four outputs; S4 onto a host that has only two; S4 onto one that has five.

What is still there shows its picture, the rest is reported as unplugged, as a
monitor would be, and the host is not told of outputs that it does not have. When
they are there again they are as if plugged in. One more than the driver has ever
seen cannot be used before it is bound again, and the log says so.
no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(outputs=((640, 480), (800, 600), (320, 240), (1024, 768)))
FEWER = ((640, 480), (720, 400))
MORE = ((640, 480), (720, 400), (400, 300), (320, 240), (512, 384))


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_off()
    vm.change_outputs(FEWER)
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_outputs([*FEWER, None, None])

    vm.mark_kernel_log()
    vm.hibernate_and_power_off()
    vm.change_outputs(MORE)
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_outputs(list(MORE[:4]))
    said = 'the host has 5 outputs, there are 4 connectors'
    vm.expect(any(said in line for line in vm.kernel_log()),
              'nothing is said of the fifth output')
    guest.show(3, guest.create(1, *MORE[3])[0])
    vm.expect_picture()
