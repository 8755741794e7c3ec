# SPDX-License-Identifier: GPL-2.0-only
"""
Something is rendered by one of two GPUs: no sleep, for this and no other reason.

What only the host has is lost with a reset, so S4 and S3 are refused, with one
warning that names the device, the program and what is in the way, and with the
same words in debugfs, which says so also before anyone has tried. Nothing has
changed. When the 3D client is gone, both GPUs hibernate.
no_console_suspend: not used.
"""

from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_gpus=(('virtio-gpu-pci', (320, 240)),))
REASON = 'init[1]: 1 context with 3D work, 1 buffer whose content only the host has'
BLUE, GREEN = 0x336699, 0x339966
WARNINGS, EVERYTHING = '5', '7'         # which lines the console shows


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    desktop = guest.shown[0]
    vm.expect_answers(None)
    guest.do('render-open /dev/dri/renderD128')
    painted = guest.render(*SIZE, BLUE)
    guest.flip(0, painted)
    vm.expect_picture()

    resets = [vm.host_log(gpu).resets for gpu in (0, 1)]
    guest.write('/proc/sys/kernel/printk', WARNINGS)
    vm.mark_kernel_log()
    vm.expect_answers(REASON)
    vm.expect_answers(None, gpu=1)
    vm.expect(vm.virt_pm().refusal == 'none', 'a question was taken for an attempt')
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_refusal_told('hibernate', REASON)
    vm.mark_kernel_log()
    vm.expect_suspend_refused('EBUSY')
    vm.expect_refusal_told('suspend', REASON)
    guest.write('/proc/sys/kernel/printk', EVERYTHING)
    vm.expect([vm.host_log(gpu).resets for gpu in (0, 1)] == resets, 'a GPU was reset')
    vm.expect_same_picture()

    more = guest.render(*SIZE, GREEN)
    guest.flip(0, more)
    vm.expect_picture()

    guest.flip(0, desktop)
    for buffer in (painted, more):
        guest.destroy(buffer)
    guest.do('render-close')
    vm.expect_answers(None)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
