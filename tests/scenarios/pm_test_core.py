# SPDX-License-Identifier: GPL-2.0-only
"""
pm_test level "core", for S3 and for S4: and the kernel's innermost, up to the last step.

no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    for state in ('mem', 'disk'):
        vm.sleep_up_to('core', state)
        vm.expect_same_picture()
