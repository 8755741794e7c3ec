# SPDX-License-Identifier: GPL-2.0-only
"""
pm_test level "processors", for S3 and for S4: and the second CPU is taken down.

no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for state in ('mem', 'disk'):
        vm.sleep_up_to('processors', state)
        vm.expect_same_picture()
