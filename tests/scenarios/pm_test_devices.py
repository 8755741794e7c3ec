# SPDX-License-Identifier: GPL-2.0-only
"""
pm_test level "devices", for S3 and for S4: devices are frozen too, and come back.

no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for state in ('mem', 'disk'):
        vm.sleep_up_to('devices', state)
        vm.expect_same_picture()
