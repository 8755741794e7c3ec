# SPDX-License-Identifier: GPL-2.0-only
"""
Hybrid sleep: an image is written, the machine goes to S3, and comes back.

The GPU is reset twice, once to make the image and once to sleep, and the image
is never used. no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hybrid_sleep_and_wake()
    vm.expect_same_picture()
