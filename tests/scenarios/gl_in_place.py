# SPDX-License-Identifier: GPL-2.0-only
"""
OpenGL over resets within one QEMU process: test_resume, and S3.

The renderer is the same one, and was made to forget everything. The program draws on
with one command, and its picture is shown before that.
no_console_suspend: not used.
"""

import virgl
from virgl import clear, command
from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_command_line='virtio_gpu.virgl_restore=1')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.do('render-open')
    target = guest.target(*SIZE)

    def submit(*words):
        guest.do('virgl ' + ' '.join(str(word) for word in words))
        guest.do(f'virgl-wait {target.handle}')

    submit(*virgl.create(virgl.SURFACE, 1, target.name, virgl.BGRX, 0, 0),
           *command(virgl.SET_FRAMEBUFFER, 1, 0, 1), *clear(0.5, 0.25, 0, 1))
    guest.flip(0, target)
    before = vm.take_picture(target)
    for sleep, colour in ((vm.hibernate_with_test_resume, 1), (vm.suspend_and_wake, 0.75),
                          (vm.suspend_and_wake, 0.5)):
        sleep()
        vm.expect_same_picture()
        submit(*clear(0, colour, 0, 1))
        guest.dirty(target)
        vm.expect(vm.take_picture(target) != before, 'nothing is drawn any more')
        before = target.custom
    vm.expect(vm.virt_pm().contexts.endswith(' 0 lost'), vm.virt_pm().contexts)
    vm.expect_content_renderer()
