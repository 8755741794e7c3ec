# SPDX-License-Identifier: GPL-2.0-only
"""
A kernel of the series boots and shows a picture; it may not sleep yet.

Not among the scenarios: make series-check runs it after each patch.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.expect_picture()
