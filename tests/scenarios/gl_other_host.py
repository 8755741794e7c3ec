# SPDX-License-Identifier: GPL-2.0-only
"""
OpenGL after S4 on a host that offers less: contexts are lost, all else lives.

Mesa goes on with what it once asked about, so on another host nothing is made again.
What was drawn is on the screen all the same. The program gets errors, one line says
why, and the renderer is told nothing that it could complain about. The device goes on: a
program that is started anew draws, and sleeps.
no_console_suspend: not used.
"""

import dataclasses

import virgl
from guest import Refused
from virgl import clear, command
from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_command_line='virtio_gpu.virgl_restore=1')
LESS = (('MESA_GL_VERSION_OVERRIDE', '3.3'),)


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    desktop = guest.shown[0]

    def submit(*words):
        guest.do('virgl ' + ' '.join(str(word) for word in words))

    def paint(*colour):
        target = guest.target(*SIZE)
        submit(*virgl.create(virgl.SURFACE, 1, target.name, virgl.BGRX, 0, 0),
               *command(virgl.SET_FRAMEBUFFER, 1, 0, 1), *clear(*colour))
        guest.do(f'virgl-wait {target.handle}')
        guest.flip(0, target)
        vm.take_picture(target)
        return target

    guest.do('render-open')
    painted = paint(0.5, 0.25, 0, 1)
    vm.setup = dataclasses.replace(vm.setup, host_environment=LESS)
    vm.mark_kernel_log()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    for _ in range(2):
        try:
            submit(*clear(1, 1, 1, 1))
        except Refused as error:
            vm.expect(error.errno == 'EIO', f'the program got {error.errno}')
        else:
            vm.expect(False, 'the program got no error')
    lines = [line for line in vm.kernel_log() if 'its 3D context is lost' in line]
    vm.expect(len(lines) == 1 and 'init[1]: its 3D context is lost: the host is another one'
              in lines[0], f'said: {lines}')
    vm.expect(vm.virt_pm().contexts == '0 came back, 1 lost', vm.virt_pm().contexts)
    vm.expect_same_picture()
    guest.flip(0, desktop)
    vm.expect_picture()

    guest.do('render-close')
    guest.destroy(painted)
    guest.do('render-open')
    painted = paint(0, 0.25, 0.5, 1)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    submit(*clear(1, 1, 1, 1))
    guest.do(f'virgl-wait {painted.handle}')
    guest.dirty(painted)
    before = painted.custom
    vm.expect(vm.take_picture(painted) != before, 'nothing is drawn any more')
    vm.expect(vm.virt_pm().contexts == '1 came back, 1 lost', vm.virt_pm().contexts)
    vm.expect_content_renderer()
