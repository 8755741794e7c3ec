# SPDX-License-Identifier: GPL-2.0-only
"""
A program makes two images through /dev/snapshot, without a word in between.

The PM notifiers are told once, when it opens the device; the GPU is reset for
each image all the same. Then the program gives up and the system goes on.
no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    resets = vm.host_log().resets
    vm.make_images(2)
    vm.expect(vm.host_log().resets >= resets + 2, 'the device was not reset twice')
    vm.expect_same_picture()
    vm.suspend_and_wake()
    vm.expect_same_picture()
