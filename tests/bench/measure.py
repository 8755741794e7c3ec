# SPDX-License-Identifier: GPL-2.0-only
"""
What is measured, each in a guest of its own: functions that boot one and return
numbers, {name: number}. Times are in milliseconds unless the name says another
unit; commands and kicks are counted by the host and exact.
"""

import contextlib
import re
import statistics
import subprocess
import time

from model import ModelSetup
from vm import QXL_SIZE, TRACING, Setup
from verdict import Failure

PHASES = ('freeze', 'thaw', 'restore')
PHASE_TIME = re.compile(r'PM: (\w+) of devices complete after (\d+\.\d+) msecs')
EVENT = re.compile(r'(\d+\.\d+): drm_virt_pm_(drain|reset|state):')
SLAB = re.compile(r'^Slab: +(\d+) kB', re.M)

SIDE = 32                       # pixels: one page, so that 30,000 of them fit
CHUNK = 1000                    # buffers created by one command to the agent
FRAMES = (3, 100)               # old buffers that are shown in turn after a resume
BATCHES, BATCH = 25, 40         # of an operation; the best batch had no timer tick
HELD = 256                      # MiB of VRAM
OBJECTS = 10000                 # of which one's share of memory is computed

NOTED = ('-msg', 'timestamp=on', '-trace', 'virtio_queue_notify')
# The guest's clock counts instructions: a busy host does not show in it.
COUNTED = {'accel': 'tcg,thread=single', 'more_options': ('-icount', 'shift=0'),
           'cpus': 1}


@contextlib.contextmanager
def booted(bench, name, kind=Setup, **setup):
    setup.setdefault('memory', 1024)
    setup.setdefault('swap', 1536)
    setup.setdefault('more_command_line', 'loglevel=8')
    with bench.files(f'bench-{name}') as files:
        vm = bench.vm(kind(**setup), files)
        try:
            vm.power_on()
            yield vm
            vm.close_kernel_log()
        finally:
            vm.close()


def create(vm, count):
    made = []
    while len(made) < count:
        made += vm.guest.create(min(count - len(made), CHUNK), SIDE, SIDE)
    return made


def sleeps(bench, counts):
    """{count: numbers}: a hibernation with that many buffers, all of them in use before."""
    found = {}
    # kicks are lost count of when they go through an eventfd
    with booted(bench, 'sleeps', device_options='ioeventfd=off', more_options=NOTED) as vm:
        vm.draw_desktop()
        first = len(vm.guest.buffers)
        # the first one is slower: QEMU has not translated the guest's code yet
        vm.hibernate_with_test_resume()
        here = 0
        for count in sorted(counts):
            create(vm, count - here)
            here = count
            # and so is the first one with so many
            _sleep_once(vm, first, count)
            found[count] = _sleep_once(vm, first, count)
    return found


def _sleep_once(vm, first, count):
    if vm.hooked:
        vm.trace('drm_virt_pm/drm_virt_pm_drain', 'drm_virt_pm/drm_virt_pm_reset')
        traced = len(_events(vm))
    start = _settled(vm).last_line
    numbers = _phases(vm, vm.hibernate_with_test_resume)
    if vm.hooked:
        numbers.update(_host_and_guest(_events(vm)[traced:], numbers['freeze ms']))
    awake = _settled(vm)
    numbers['picture kept'] = _kept(vm)
    [elapsed] = _nanoseconds(vm.guest.do(f'time-use {first} {count}'))
    numbers['use all ms'] = elapsed / 1e6
    numbers['restore + use all ms'] = numbers['restore ms'] + elapsed / 1e6
    numbers.update(_host_side(_settled(vm), start, awake.last_line))
    return numbers


def _kept(vm):
    """1 if the picture is the same, which it has to be with our driver; or 0"""
    same = vm.qemu.screen() == vm.guest.shown[0].picture()
    if vm.hooked and not same:
        raise Failure('the picture is lost: nothing worth measuring')
    return int(same)


def _phases(vm, sleep):
    """Sleeps; what the kernel says of the first of each phase."""
    vm.guest.write('/sys/power/pm_debug_messages', '1')
    console = len(vm.files.console_text())
    sleep()
    numbers = {}
    for phase, ms in PHASE_TIME.findall(vm.files.console_text()[console:]):
        if phase in PHASES:
            numbers.setdefault(f'{phase} ms', float(ms))
    return numbers


def _events(vm):
    return EVENT.findall(vm.guest.read(f'{TRACING}/trace'))


def _host_and_guest(events, freeze):
    """Freeze, split: the reset, in which the host frees what it has, and the rest.

    The last thing before the reset is that the queues were drained."""
    drained = None
    for when, event in events:
        if event == 'reset':
            break
        drained = when
    else:
        raise Failure('the trace has no reset')
    host = (float(when) - float(drained)) * 1000
    return {'freeze: reset of the host ms': host, 'freeze: all but that ms': freeze - host}


def _settled(vm):
    """The host's log when it has nothing more to say."""
    vm.guest.do('sleep 300')
    return vm.host_log()


def _nanoseconds(answer):
    return [int(word) for word in answer.split()]


def _host_side(log, start, awake):
    """Commands and kicks of each part of a hibernation, from its line @start on."""
    commands = log.after(start)
    lives = [[]]
    for command in commands:
        if command.name == 'RESET':
            lives.append([command])
        else:
            lives[-1].append(command)
    # two resets in a row are one
    lives = lives[:1] + [life for life in lives[1:] if len(life) > 1]
    if len(lives) != 3:
        raise Failure(f'the host saw {len(lives)} lives of the device in one hibernation, '
                      'not those before it, in thaw and after it')
    asleep, thawed, restored = lives
    numbers = {'commands freeze': len(asleep),
               'kicks freeze': _kicks(log, start, asleep[-1].line if asleep else start)}
    for name, life in (('thaw', thawed), ('restore', restored)):
        flushes = [i for i, command in enumerate(life) if command.name == 'res_flush']
        if not flushes:
            raise Failure(f'nothing was shown in {name}')
        flush = life[flushes[0]]
        numbers[f'commands {name} to first flush'] = flushes[0]     # the reset is no command
        numbers[f'kicks {name} to first flush'] = _kicks(log, life[0].line, flush.line)
        if name == 'restore':
            numbers['reset to first flush ms'] = 1000 * (flush.time - life[0].time)
    numbers['commands hibernation in all'] = len(asleep) + len(thawed) - 1
    numbers['kicks hibernation in all'] = _kicks(log, start, restored[0].line)
    numbers['commands restore to all used'] = len(restored) - 1
    numbers['kicks restore to all used'] = _kicks(log, restored[0].line, log.last_line)
    numbers['commands use all'] = len(log.after(awake))
    return numbers


def _kicks(log, after, until):
    return sum(after < line <= until for line in log.kicks)


def wakes(bench, counts):
    """{count: numbers}: how much of the time from power-on to a picture is the GPU's."""
    found = {}
    for count in sorted(counts):
        with booted(bench, 'wakes', more_options=NOTED) as vm:
            vm.draw_desktop()
            create(vm, count)
            vm.hibernate_and_power_off()
            start = time.time()
            vm.power_on_again()
            _, own, shown = _first_picture(_settled(vm))
            found[count] = {'power-on to first flush ms': 1000 * (shown - start),
                            "GPU's share of it, per cent": 100 * own / (shown - start)}
    return found


def _first_picture(log):
    """After the last reset: commands until there is one, seconds, and when that was."""
    life = log.until_first_flush()
    if not life or life[-1].name != log.PICTURE:
        raise Failure('nothing was shown: nothing worth measuring')
    began = [command.time for command in log.commands if command.name == 'RESET'][-1]
    return len(life), life[-1].time - began, life[-1].time


def reset(bench):
    """A function reset, with buffers; stock does not come back from it."""
    with booted(bench, 'reset', more_options=NOTED,
                more_devices=('pcie-root-port,id=port0',),
                device_options='bus=port0,ioeventfd=off') as vm:
        vm.draw_desktop()
        create(vm, OBJECTS)
        resets = _settled(vm).resets
        vm.reset_function()
        log = _settled(vm)
        if log.resets == resets:
            raise Failure('the device was not reset')
        commands, seconds, _ = _first_picture(log)
        return {'function reset: commands to first flush': commands,
                'function reset: to first flush ms': 1000 * seconds}


def again(bench):
    """A second try to resume, from the end of the first one; stock has none."""
    if not bench.hooked:
        raise Failure('it does not try again')
    with booted(bench, 'again', host='own', cpus=1) as vm:
        vm.draw_desktop()
        vm.trace('drm_virt_pm/drm_virt_pm_reset', 'drm_virt_pm/drm_virt_pm_state')
        vm.fault('error:res_back_attach:0:1')
        vm.suspend_and_wake()
        vm.guest.do('sleep 1000')
        events = _events(vm)
        vm.heal()
        # the suspend, its reset, the reset after the first try, and running again
        if [event for _, event in events] != ['reset', 'state', 'reset', 'state']:
            raise Failure(f'no second try: {events}')
        return {'second try ms': 1000 * (float(events[3][0]) - float(events[2][0]))}


def qxl(bench):
    """A hibernation of a qxl."""
    with booted(bench, 'qxl', device='qxl-vga', outputs=(QXL_SIZE,),
                more_command_line='loglevel=8 qxl.num_heads=1') as vm:
        vm.draw_desktop()
        create(vm, 100)
        vm.hibernate_with_test_resume()         # slower than others, see sleeps()
        numbers = _phases(vm, vm.hibernate_with_test_resume)
        numbers['picture kept'] = _kept(vm)
        return {f'qxl, {name}': number for name, number in numbers.items()}


def frames(bench):
    """Page flips over old buffers right after a resume, and over the same when awake."""
    numbers = {}
    with booted(bench, 'frames', memory=1536) as vm:
        vm.draw_desktop()
        width, height = vm.guest.outputs[0]
        olds = {count: vm.guest.create(count, width, height) for count in FRAMES}
        for when in ('awake', 'resumed'):
            if when == 'resumed':
                vm.hibernate_with_test_resume()
            for count, old in olds.items():
                times = _nanoseconds(vm.guest.do(f'frames 0 {old[0].index} {count}'))
                key = f'flip over {count}, {when}'
                numbers[f'{key}: median ms'] = statistics.median(times) / 1e6
                numbers[f'{key}: worst ms'] = max(times) / 1e6
                numbers[f'{key}: sum ms'] = sum(times) / 1e6
    return numbers


def awake(bench):
    """Instructions for one operation, by the guest's clock, which counts them."""
    numbers = {}
    with booted(bench, 'awake', **COUNTED) as vm:
        vm.draw_desktop()
        _, one, other, cursor = vm.guest.buffers
        small = create(vm, 1)[0]
        for name, command in (
                ('create + destroy', f'time-create {SIDE} {SIDE}'),
                ('page flip', f'time-flip 0 {one.index} {other.index}'),
                ('cursor move', 'time-cursor 0'),
                ('transfer', f'time-transfer {small.index}')):
            # everything that ran counts, the works of the driver and waiting too
            best = min(_nanoseconds(vm.guest.do(f'{command} {BATCH}'))[0]
                       for _ in range(BATCHES))
            numbers[f'{name}: instructions'] = best / BATCH
    return numbers


def virgl(bench):
    """Instructions of the system call that submits a desktop's frame, and with options."""
    numbers = {}
    for when in ('', ', census', ', restore') if bench.hooked else ('',):
        on = f'virtio_gpu.virgl_{when[2:]}=1 ' if when else ''
        with booted(bench, 'virgl', host='own', host_options=('--3d',),
                    more_command_line=f'{on}loglevel=8', **COUNTED) as vm:
            vm.guest.do('render-open')
            vm.guest.do('time-frame 300')       # the first 256 are looked at in full
            numbers[f'virgl frame{when}: instructions'] = min(
                time for _ in range(BATCHES)
                for time in _nanoseconds(vm.guest.do(f'time-frame {BATCH}')))
            vm.guest.do('render-close')
    return numbers


def memory(bench):
    """Bytes of kernel memory for one buffer, its pages not counted."""
    with booted(bench, 'memory') as vm:
        vm.draw_desktop()
        create(vm, CHUNK)
        before = _slab(vm)
        create(vm, OBJECTS)
        return {'slab bytes per object': (_slab(vm) - before) * 1024 / OBJECTS}


def _slab(vm):
    return int(SLAB.search(vm.guest.read('/proc/meminfo'))[1])


def sizes(bench):
    """Bytes of the driver and, in ours, of the library; the tests are not part of them."""
    obj = bench.build / 'work' / ('ours' if bench.hooked else 'stock') / 'obj'
    objects = sorted((obj / 'drivers/gpu/drm/virtio').glob('virtgpu_*.o'))
    if bench.hooked:
        objects += sorted((obj / 'drivers/gpu/drm/pm_virt').glob('drm_virt_pm_*.o'))
    if not objects:
        raise Failure(f'no objects of the driver under {obj}')
    done = subprocess.run(['size', '-t', *map(str, objects)], capture_output=True,
                          text=True, check=True)
    text, data, bss = map(int, done.stdout.splitlines()[-1].split()[:3])
    return {'driver, text bytes': text, 'driver, data bytes': data + bss}


def amdgpu(bench):
    """The model's account of a hibernation of amdgpu; and what a submission costs awake."""
    with booted(bench, 'amdgpu', ModelSetup, model=('--trace',)) as vm:
        vm.load_driver()
        vm.use_gpu(kfd=False)
        before = vm.events().last_number()
        numbers = {f'amdgpu, {name}': number for name, number in
                   _phases(vm, vm.hibernate_and_power_on_again).items()}
        for when, events in (('hibernation', vm.events(-2).after(before)),
                             ('resume', vm.events())):
            for name in ('reg-write', 'reg-read', 'doorbell', 'tlb-invalidate'):
                numbers[f'amdgpu, {when}: {name}'] = len(events.named(name))
        armed, hubs = vm.events().hubs_armed_first()
        numbers['amdgpu, hubs armed at their first access'] = armed
        numbers['amdgpu, hubs'] = hubs
    # counted when the model ends
    numbers['amdgpu, resume: memory accesses'] = sum(
        int(event.reads) + int(event.writes) for event in vm.events().named('hub-count'))
    with booted(bench, 'amdgpu-awake', ModelSetup, **COUNTED) as vm:
        vm.load_driver()
        vm.use_gpu(kfd=False)
        [nanoseconds] = _nanoseconds(vm.guest.do(f'gpu-time {BATCHES * BATCH}'))
        numbers['amdgpu, submission: instructions'] = nanoseconds
    with booted(bench, 'amdgpu-two', ModelSetup, second=()) as vm:
        vm.load_driver()
        vm.use_gpu(kfd=False)
        numbers.update((f'amdgpu, two, {name}', number) for name, number in
                       _phases(vm, vm.hibernate_and_power_on_again).items())
    none, held = (_bytes_copied(bench, megabytes) for megabytes in (0, HELD))
    for name in held:
        numbers[f'amdgpu, {name}: bytes copied per byte in VRAM'] = (
            held[name] - none[name]) / (HELD << 20)
    return numbers


def _bytes_copied(bench, megabytes):
    """By the GPU in a hibernation and in the resume, with so much content of VRAM."""
    with booted(bench, 'amdgpu-copied', ModelSetup) as vm:
        vm.load_driver()
        vm.use_gpu(kfd=False)
        vm.guest.gpu_hold(megabytes)
        vm.hibernate_and_power_on_again()
        vm.guest.gpu_hold(0)
    # counted when the model ends
    return {name: sum(int(event.values.get('bytes-copied', 0))
                      for event in vm.events(start).named('engine-count'))
            for name, start in (('hibernation', -2), ('resume', -1))}
