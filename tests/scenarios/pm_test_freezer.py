# SPDX-License-Identifier: GPL-2.0-only
"""
pm_test level "freezer", for S3 and for S4: only tasks are frozen, the GPU is not touched.

no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for state in ('mem', 'disk'):
        vm.sleep_up_to('freezer', state)
        vm.expect_same_picture()
