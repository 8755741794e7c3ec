# SPDX-License-Identifier: GPL-2.0-only
"""A machine with OVMF in place of SeaBIOS, and a disk from which it starts GRUB."""

import shutil
import subprocess
from pathlib import Path

import image
from verdict import Skip

CODE = Path('/usr/share/OVMF/OVMF_CODE_4M.fd')
VARIABLES = Path('/usr/share/OVMF/OVMF_VARS_4M.fd')
MODULES = ('part_msdos', 'ext2', 'fat', 'linux', 'normal', 'search',
           'search_fs_uuid', 'boot')
GRUB = '''search --set=root --fs-uuid {uuid}
linux /vmlinuz root=UUID={uuid} ro {line}
initrd /initrd.img
boot
'''
MEGABYTES = 16


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)


def options(directory):
    """QEMU's; what the guest writes to its variables is kept in the directory."""
    for name in ('mformat', 'mcopy', 'grub-mkimage'):
        if not shutil.which(name):
            raise Skip(f'{name} is not installed')
    if not CODE.exists() or not Path('/usr/lib/grub/x86_64-efi').is_dir():
        raise Skip('ovmf or grub-efi-amd64-bin is not installed')
    variables, disk = directory / 'variables.fd', directory / 'esp.img'
    if not disk.exists():
        shutil.copy(VARIABLES, variables)
        config, grub = directory / 'early.cfg', directory / 'bootx64.efi'
        config.write_text(GRUB.format(uuid=image.ROOT_UUID, line=image.COMMAND_LINE))
        _run('grub-mkimage', '-O', 'x86_64-efi', '-p', '/', '-c', config, '-o', grub,
             *MODULES)
        with open(disk, 'wb') as file:
            file.truncate(MEGABYTES << 20)
        _run('mformat', '-i', disk, '-T', str(MEGABYTES << 11), '-h', '16', '-s', '63', '::')
        for name in ('::/EFI', '::/EFI/BOOT'):
            _run('mmd', '-i', disk, name)
        _run('mcopy', '-i', disk, grub, '::/EFI/BOOT/BOOTX64.EFI')
    return ('-drive', f'if=pflash,format=raw,readonly=on,file={CODE}',
            '-drive', f'if=pflash,format=raw,file={variables}',
            '-drive', f'if=none,id=esp,format=raw,file={disk}',
            '-device', 'virtio-blk-pci,drive=esp,bootindex=0')
