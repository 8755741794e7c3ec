# SPDX-License-Identifier: GPL-2.0-only
"""The text console (fbcon), and systemctl hibernate: it is there again, and goes on."""

SCENE = 'printf "\\033[2J\\033[H"; for n in $(seq 9); do echo "line $n of a console"; done'


def story(vm):
    vm.power_on()
    # the kernel's own lines about the hibernation would change the picture
    vm.run('dmesg -n 1; systemctl stop getty@tty1; chvt 1')
    vm.run(f'{{ {SCENE}; }} >/dev/tty1')
    vm.remember_picture()
    before = vm.at_rest()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.run('echo one more line >/dev/tty1')
    vm.expect(vm.at_rest() != before, 'the console does not go on')
