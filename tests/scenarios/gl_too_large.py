# SPDX-License-Identifier: GPL-2.0-only
"""
Textures of which memory has too little room: no sleep, with figures, before anything.

A quarter of the memory may be used for textures of 64 MiB, of each of which the program
has one page. When they are gone, the guest sleeps. What a context in error
had does not come back; it is found out before tasks freeze, and does not keep the guest
from sleeping.
no_console_suspend: not used.
"""

import virgl
from guest import Refused
from virgl import SAMPLED, TEXTURE
from vm import Setup

SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=((640, 480),), memory=224,
              more_command_line='virtio_gpu.virgl_restore=1')
NOBODY = 77


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.do('render-open')
    most = (int(guest.read('/proc/meminfo').split()[1]) >> 10) // 4
    large = [guest.do(f'virgl-resource {TEXTURE} {virgl.BGRX} {SAMPLED} 4096 4096 0').split()[0]
             for _ in range(most // 64 + 1)]
    reason = f'{64 * len(large)} MiB of textures, more than the {most} MiB that may be saved'
    resets = vm.host_log().resets
    vm.expect_answers(reason)
    vm.mark_kernel_log()
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_refusal_told('hibernate', reason)
    vm.expect(vm.host_log().resets == resets, 'the GPU was reset')
    for texture in large:
        guest.do(f'virgl-drop {texture}')
    vm.expect_answers(None)

    guest.do('virgl ' + ' '.join(str(word) for word in virgl.bind(virgl.BLEND, NOBODY)))
    vm.expect_answers(None)
    vm.mark_kernel_log()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    try:
        guest.do('virgl 0')
    except Refused as error:
        vm.expect(error.errno == 'EIO', f'the program got {error.errno}')
    else:
        vm.expect(False, 'a context that was in error came back')
    vm.expect(any('init[1]: its 3D context is lost: the host has given it up' in line
                  for line in vm.kernel_log()), 'nothing was said of the context')
