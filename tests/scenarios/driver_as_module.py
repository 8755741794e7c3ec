# SPDX-License-Identifier: GPL-2.0-only
"""
The driver as a module: sleeps, and can be unloaded, also after a refused freeze.

Then the same without KMS, as a module that was configured so: no outputs, and
buffers that come back on their use. The driver that is built in has to give up
the device first, and gets it back at the end. no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
    (r'\*ERROR\* Failed to register client: -95$',
     'upstream wants a console on a device without KMS'),
))


def story(vm):
    guest = vm.power_on()
    vm.change_driver('virtio_gpu', 'vgpu')
    vm.draw_desktop()
    vm.expect_busy('vgpu')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.let_others_fail('freeze')
    vm.expect_hibernation_refused('EBUSY')
    vm.let_others_fail('none')
    vm.expect_same_picture()

    # unbound with a lit output and buffers, which live until they are closed
    vm.unbind_gpu('vgpu')
    guest.close_cards()
    vm.unload_driver('vgpu')

    vm.load_driver('vgpu_no_kms')
    vm.expect_no_kms()
    before, after = guest.create(2, 64, 64, kind='resource')
    guest.transfer(before)
    vm.hibernate_with_test_resume()
    known = vm.count_commands('res_create_2d')
    guest.transfer(after)
    vm.expect_commands('res_create_2d', known + 1, 'the buffer was not created again')
    vm.suspend_and_wake()
    guest.transfer(before)
    guest.close_cards()
    vm.change_driver('vgpu_no_kms', 'virtio_gpu')
    vm.draw_desktop()
