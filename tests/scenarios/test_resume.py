# SPDX-License-Identifier: GPL-2.0-only
"""
test_resume: the image is written, the GPU reset and the image read in one boot.

no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_with_test_resume()
    vm.expect_same_picture()
