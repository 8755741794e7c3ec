# SPDX-License-Identifier: GPL-2.0-only
"""
Something is rendered by one of two GPUs: no sleep, for this and no other reason.

What only the host has is lost with a reset, so S4 and S3 are refused, with one
line that names the device and what is in the way, in the log and in debugfs, and
nothing has changed. When the 3D client is gone, both GPUs hibernate.
no_console_suspend: not used.
"""

from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_gpus=(('virtio-gpu-pci', (320, 240)),))
REASON = '1 context with 3D work, 1 buffer whose content only the host has'
BLUE, GREEN = 0x336699, 0x339966


def expect_refusals(vm, transition):
    """One more line, of the first GPU, which debugfs has too."""
    lines = [line for line in vm.kernel_log() if ' refused: ' in line]
    vm.expect(len(lines) == 1, f'{len(lines)} lines tell of a refusal: {lines}')
    vm.expect(f'{vm.gpu_name(0)}: ' in lines[0] and
              lines[0].endswith(f'{transition} refused: {REASON}'),
              f'the refusal does not say which and why: {lines[0]}')
    vm.expect(vm.virt_pm(0)['refusal'] == f'{transition}: {REASON} (-16)',
              f'debugfs says: {vm.virt_pm(0)["refusal"]}')
    vm.expect(vm.virt_pm(1)['refusal'] == 'none', 'the other GPU refused as well')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    desktop = guest.shown[0]
    guest.do('render-open /dev/dri/renderD128')
    painted = guest.render(*SIZE, BLUE)
    guest.flip(0, painted)
    vm.expect_picture()

    resets = [vm.host_log(gpu).resets for gpu in (0, 1)]
    vm.mark_kernel_log()
    vm.expect_hibernation_refused('EBUSY')
    expect_refusals(vm, 'hibernate')
    vm.mark_kernel_log()
    vm.expect_suspend_refused('EBUSY')
    expect_refusals(vm, 'suspend')
    vm.expect([vm.host_log(gpu).resets for gpu in (0, 1)] == resets, 'a GPU was reset')
    vm.expect_same_picture()

    more = guest.render(*SIZE, GREEN)
    guest.flip(0, more)
    vm.expect_picture()

    guest.flip(0, desktop)
    for buffer in (painted, more):
        guest.destroy(buffer)
    guest.do('render-close')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
