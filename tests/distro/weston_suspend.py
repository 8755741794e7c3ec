# SPDX-License-Identifier: GPL-2.0-only
"""Weston, and systemctl suspend: the same picture after the host has woken it, twice."""

from machine import Setup

# q35 sleeps only once
SETUP = Setup(machine='pc')


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    for _ in range(2):
        vm.sleep()
        vm.wake()
        vm.expect_same_picture()
    vm.expect_typing_draws()
