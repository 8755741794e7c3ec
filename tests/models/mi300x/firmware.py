#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Firmware files for the model: headers that amdgpu accepts, and zeros.

The layout is that of amdgpu_ucode.h. The model takes any firmware and runs none,
so nothing of AMD's is needed. Only the trusted application of XGMI has a name in it, as
it alone is asked for more than to be loaded. usage: firmware.py DIRECTORY
"""

import struct
import sys
from pathlib import Path

ARRAY_OFFSET = 256


def firmware(version, extra, size, ip=(9, 4), content=b''):
    """struct common_firmware_header, the rest of its kind, and the array."""
    head = struct.pack('<IIHHHHIIII', ARRAY_OFFSET + size, 32 + len(extra), *version, *ip,
                       1, size, ARRAY_OFFSET, 0)
    return (head + extra).ljust(ARRAY_OFFSET, b'\0') + content.ljust(size, b'\0')


def words(*values):
    return struct.pack(f'<{len(values)}I', *values)


def rlc():
    # rlc_firmware_header_v2_0; register lists of no length, at the array
    return firmware((2, 0), words(1, *[0] * 10, 256, 0, 256, 0, 256, 0, 256), 4096)


def trusted_applications():
    # ta_firmware_header_v2_0: one part, TA_FW_TYPE_PSP_XGMI, of version 1, at the array
    return firmware((2, 0), words(1, 2, 1, 0, 256), 256, content=b'XGMI')


def files():
    """Name below /lib/firmware: content"""
    # gfx_firmware_header_v1_0: feature version, jump table offset and size
    mec = firmware((1, 0), words(1, 0, 16), 4096)
    result = {
        'gc_9_4_3_rlc.bin': rlc(),
        'gc_9_4_3_mec.bin': mec,
        # these two of a virtual function; psp_firmware_header_v1_0
        'gc_9_4_3_sjt_mec.bin': mec,
        'psp_13_0_6_cap.bin': firmware((1, 0), words(1, 0, 256), 256),
        # sdma_firmware_header_v1_0: feature and change version, jump table
        'sdma_4_4_2.bin': firmware((1, 0), words(1, 1, 0, 0), 1024),
    }
    for revision in (2, 6):         # without and with a PSP in the discovery table
        # psp_firmware_header_v2_0: no parts at all
        result[f'psp_13_0_{revision}_sos.bin'] = firmware((2, 0), words(0), 256)
        result[f'psp_13_0_{revision}_ta.bin'] = trusted_applications()
    return {f'amdgpu/{name}': data for name, data in result.items()}


def main():
    for name, data in files().items():
        path = Path(sys.argv[1]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == '__main__':
    main()
