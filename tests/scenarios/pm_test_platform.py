# SPDX-License-Identifier: GPL-2.0-only
"""
pm_test level "platform", for S3 and for S4: the firmware's part of it as well.

no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for state in ('mem', 'disk'):
        vm.sleep_up_to('platform', state)
        vm.expect_same_picture()
