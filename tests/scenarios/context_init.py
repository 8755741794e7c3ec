# SPDX-License-Identifier: GPL-2.0-only
"""
A host with contexts of several kinds: 2D sleeps, a client's own context does not.

CONTEXT_INIT makes a context that only the client could make again, so S3 and S4 are
refused while it exists, with the program's name. The contexts that 2D has on such a
host, one for each user of a buffer, are in nobody's way. On the host of our own.
no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(host='own', host_options=('--3d',))
REASON = 'init[1]: 1 context with 3D work'


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    guest.do('render-open /dev/dri/renderD128')
    vm.expect_answers(None)
    guest.do('render-init')
    vm.expect_answers(REASON)
    resets = vm.host_log().resets
    vm.mark_kernel_log()
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_refusal_told('hibernate', REASON)
    vm.mark_kernel_log()
    vm.expect_suspend_refused('EBUSY')
    vm.expect_refusal_told('suspend', REASON)
    vm.expect(vm.host_log().resets == resets, 'the device was reset')
    vm.expect_same_picture()

    guest.do('render-close')
    vm.expect_answers(None)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
